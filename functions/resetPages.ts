// All pages a person sees.
import { registerAskPage } from './askPage';
import { registerChangePassword } from './changePassword';
import type { ServicesSource } from './invocation';
import { registerKeyPage } from './keyPage';

/** Registers `askPage`, `sentPage`, `keyPage` and `changePassword`. */
export function registerPages(source: ServicesSource): void {
  registerAskPage(source);
  registerKeyPage(source);
  registerChangePassword(source);
}
