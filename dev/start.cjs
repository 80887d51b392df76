// `npm start`. Checks the version of Node in syntax that every version understands, then runs start.ts.
const [, major, minor] = />=(\d+)\.(\d+)/.exec(require('../package.json').engines.node);
const own = process.versions.node.split('.').map(Number);
if (own[0] < major || (own[0] === Number(major) && own[1] < minor)) {
  console.error(`This app needs Node ${major}.${minor} or later; this is Node ${process.versions.node}.`);
  process.exit(1);
}
require('tsx/cjs');
import('tsx/esm').then(() => require('./start.ts')); // the app's own import() of a .ts file goes through it
