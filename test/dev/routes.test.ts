// Route templates by themselves.
import { compileRoute, decodePath } from '../../dev/host/routes';

test.each([
  ['', '/', {}],
  ['health', '/HEALTH/', {}],
  ['a.b', '/a.b', {}],
  ['{id:int}', '/-5', { id: '-5' }],
  ['{id:guid}', '/0F8FAD5B-D9CB-469F-A165-70867728950E', { id: '0F8FAD5B-D9CB-469F-A165-70867728950E' }],
  ['{on:bool}', '/True', { on: 'True' }],
  ['{name}.{extension}', '/site.css', { name: 'site', extension: 'css' }],
  ['a/{b?}', '/a', {}],
  ['a/{b?}', '/a/x', { b: 'x' }],
  ['a/{*rest}', '/a/', {}],
  ['{**rest}', '/x/y', { rest: 'x/y' }],
])('%s fits %s', (template, path, params) => {
  expect(compileRoute(template).match(path)).toEqual(params);
});

test.each([
  ['', '/x'],
  ['a.b', '/aXb'],
  ['{id:int}', '/5x'],
  ['a/{b}', '/a/'],
  ['a/{b}', '/a/x/y'],
  ['a', '/a//'],
])('%s does not fit %s', (template, path) => {
  expect(compileRoute(template).match(path)).toBeUndefined();
});

test.each(['{id:range(1,2)}', '{id:odd}', '{id=5}', '{id'])(
  'a template this host cannot serve is an error: %s',
  (template) => {
    expect(() => compileRoute(template)).toThrow(/route/);
  },
);

test('a path is decoded but for slashes and what is malformed', () => {
  expect(decodePath('/%C3%A9/%2f%2Fx/%41%2F%42/%ff/%zz/100%')).toBe('/é/%2f%2Fx/A%2FB/%ff/%zz/100%');
});
