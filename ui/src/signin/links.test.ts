import { expect, test } from 'vitest';
import { goOn, linkOf, problemOf, problemWords } from './links';

const token = 'abcdEFGH0123-_xyz';

test.each([
  ['/first', `#${token}`, { kind: 'first', token }],
  ['/invitation', `#token=${token}`, { kind: 'invitation', token }],
  ['/reset', '#short', { kind: 'reset', token: '' }],
  ['/reset', '#<script>alert(1)</script>', { kind: 'reset', token: '' }],
  ['/', `#${token}`, undefined],
  ['/reset/more', `#${token}`, undefined],
])('%s%s', (pathname, hash, link) => {
  expect(linkOf({ pathname, hash })).toEqual(link);
});

test.each([
  ['?returnTo=/approvals', '/approvals'],
  ['?returnTo=//evil.example', '/'],
  ['?returnTo=https://evil.example', '/'],
  ['?returnTo=/signin', '/'],
  ['', '/'],
])('after signing in: %s', (search, to) => {
  expect(goOn({ pathname: '/signin', search })).toBe(to);
  expect(goOn({ pathname: '/approvals', search })).toBeUndefined();
});

test('what went wrong at a provider is a code', () => {
  expect(problemOf({ pathname: '/signin', search: '?problem=openid_refused' })).toBe('openid_refused');
  expect(problemOf({ pathname: '/signin', search: '?problem=%3Cb%3E' })).toBeUndefined();
  expect(problemOf({ pathname: '/', search: '?problem=openid_refused' })).toBeUndefined();
});

test('a code of a provider is told in words, known or not', () => {
  expect(problemWords('no_account')).toContain('invite you');
  expect(problemWords('provider_refused')).toContain('did not let you in');
  expect(problemWords('constructor')).toContain('did not let you in');
});
