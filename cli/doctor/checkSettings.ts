// Are all settings there and well formed? Also: names in the settings file that mean nothing, which are mostly slips of the pen.
import { settingNames } from '../../shared/config';
import { fail, ok, warn, type Check } from './finding';

const setIt =
  'Set it in the Function App (Settings > Environment variables), or in local.settings.json on your own computer; ' +
  "README.md's table explains each setting.";
/** Settings of the platform, not of the app. */
const platform =
  /^(?:FUNCTIONS_|AzureWebJobs|AzureFunctions|WEBSITE_|WEBSITES_|APPLICATIONINSIGHTS_|APPINSIGHTS_|NODE_|DEV_|languageWorkers|SCM_)/i;

const notAtHand =
  'Not looked at: the app has its own in Azure. GET /api/health/details, with a function key, says whether they are good.';

export const checkSettings: Check = ({ settings, fileSettings, isElsewhere }) => {
  if (isElsewhere) return [ok('settings', notAtHand)];
  const problems = settings.ok ? [] : settings.problems.map((problem) => fail('settings', `${problem}.`, setIt));
  const unknown = Object.keys(fileSettings)
    .filter((name) => !settingNames.includes(name) && !platform.test(name))
    .map((name) => warn('settings', `${name} is no setting of this app.`, 'Is it misspelt? If not, remove it.'));
  const all = [...problems, ...unknown];
  return all.length > 0 ? all : [ok('settings', 'All settings are there and well formed.')];
};
