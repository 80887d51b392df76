// Are all settings there and well formed? Also: names in the settings file that mean nothing, which are mostly slips of the pen.
import { unknownSettings } from '../support/settingsFile';
import { fail, ok, warn, type Check } from './finding';

const setIt =
  'Set it in the Function App (Settings > Environment variables), or in local.settings.json on your own computer; ' +
  "README.md's table explains each setting.";
const notAtHand =
  'Not looked at: the app has its own in Azure. GET /api/health/details, with a function key, says whether they are good.';

export const checkSettings: Check = ({ settings, fileSettings, isElsewhere }) => {
  if (isElsewhere) return [ok('settings', notAtHand)];
  const problems = settings.ok ? [] : settings.problems.map((problem) => fail('settings', `${problem}.`, setIt));
  const unknown = unknownSettings(Object.keys(fileSettings)).map(({ name, nearest }) =>
    warn(
      'settings',
      `${name} is no setting of this app.`,
      nearest ? `Is ${nearest} meant?` : 'If not misspelt, remove it.',
    ),
  );
  const all = [...problems, ...unknown];
  return all.length > 0 ? all : [ok('settings', 'All settings are there and well formed.')];
};
