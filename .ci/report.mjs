// Prints the counts of a jest run and what was skipped; exits 1 when something was skipped that ALLOW_SKIPPED does not name.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const allowed = (process.env.ALLOW_SKIPPED ?? '').split(',').map((name) => name.trim());
const skipped = report.testResults
  .map(({ name, assertionResults }) => ({
    file: path.relative(process.cwd(), name),
    tests: assertionResults.filter(({ status }) => status === 'pending' || status === 'todo'),
  }))
  .filter(({ tests }) => tests.length > 0);

for (const { file, tests } of skipped) {
  console.log(`skipped in ${file}${allowed.includes(file) ? ' (allowed)' : ''}:`);
  for (const { fullName } of tests) console.log(`  ${fullName}`);
}
const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = report;
console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests + numTodoTests} skipped`);
if (numFailedTests > 0 || numPassedTests === 0 || skipped.some(({ file }) => !allowed.includes(file))) process.exit(1);
