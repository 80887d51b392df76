// The story on the running app with accounts in a real Django.
import { directoryStory } from '../support/directoryStory';
import { describeDjango, startDjango } from './djangoSite';

describeDjango('the story', () => {
  directoryStory('Django', startDjango, { ACCOUNT_DIRECTORY_PASSWORD: 'plain' });
});
