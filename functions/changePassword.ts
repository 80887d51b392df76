// GET .well-known/change-password: where password managers send people. @see W3C "A Well-Known URL for Changing Passwords"
import { app } from '@azure/functions';
import { commonHeaders } from '../shared/http/answer';
import { askPath } from '../shared/pages/paths';
import { httpEndpoint, type ServicesSource } from './invocation';

/** Registers `changePassword`. */
export function registerChangePassword(source: ServicesSource): void {
  app.http('changePassword', {
    route: '.well-known/change-password',
    methods: ['GET', 'HEAD'],
    authLevel: 'anonymous',
    handler: httpEndpoint('changePassword', source, () =>
      Promise.resolve({ status: 302, headers: { ...commonHeaders, Location: askPath } }),
    ),
  });
}
