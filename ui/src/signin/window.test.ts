import { expect, it } from 'vitest';
import { frameOf } from './window';

const key = 'aaaabbbbccccdddd1111';
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

it('a sign-in window says which frame it is for', () => {
  expect(frameOf({ pathname: `/embed-sign-in/${key}`, search: `?challenge=${challenge}` })).toEqual({ key, challenge });
});

it.each([
  [`/embed-sign-in/${key}`, ''],
  [`/embed-sign-in/${key}`, '?challenge=short'],
  [`/embed-sign-in/${key}/more`, `?challenge=${challenge}`],
  ['/embed-sign-in/', `?challenge=${challenge}`],
  [`/embed/${key}`, `?challenge=${challenge}`],
])('%s%s is none', (pathname, search) => {
  expect(frameOf({ pathname, search })).toBeUndefined();
});
