import { describe, expect, it } from 'vitest';
import { cameBack, mark } from './consent';
import type { Connection } from './data';
import { filled } from './data';
import { refusal } from './refusal';

const connection = (health: Connection['health'], savedAt?: string): Connection => ({
  id: 3,
  kind: 'partnerConsent',
  name: 'Partner',
  secrets: [{ name: 'refreshToken', set: savedAt !== undefined, savedAt }],
  health,
  customers: 0,
  version: '1',
});

describe('a sign-in at Microsoft', () => {
  const before = mark(connection({ state: 'unknown', checked: '2026-03-17T10:00:00Z' }));
  it('is not over by a token alone: it is tested first', () => {
    expect(cameBack(before, connection({ state: 'unknown', checked: '2026-03-17T10:00:00Z' }, '2026-03-17T10:01:00Z'))).toBe(false);
  });
  it('is over once it was tested, or kept as refused', () => {
    expect(cameBack(before, connection({ state: 'healthy', checked: '2026-03-17T10:01:01Z' }, '2026-03-17T10:01:00Z'))).toBe(true);
    expect(cameBack(before, connection({ state: 'broken', checked: '2026-03-17T10:01:01Z' }))).toBe(true);
  });
  it('is not over because a sync found the connection well', () => {
    expect(cameBack(before, connection({ state: 'healthy', checked: '2026-03-17T10:01:01Z' }))).toBe(false);
  });
});

describe('a refusal of Microsoft in words', () => {
  it('is what the connection says where that is broken by it', () => {
    const broken = connection({ state: 'broken', code: 'AADSTS7000222', text: 'The secret expired.', action: 'Make a new one.' });
    expect(refusal('AADSTS7000222', broken)).toEqual(['The secret expired.', 'Make a new one.']);
    expect(refusal('AADSTS65004', broken)[0]).toBe('Consent was refused at Microsoft.');
  });
  it('is never a code alone', () => {
    expect(refusal('AADSTS1', connection({ state: 'healthy' }))).toEqual(['Microsoft refused the sign-in.', 'Begin it again; its code is AADSTS1.']);
    expect(refusal('consent_over')[1]).not.toBe('');
  });
});

it('what a form leaves empty is not sent', () => {
  expect(filled({ site: 'na.myconnectwise.net', privateKey: '', clientId: undefined })).toEqual({ site: 'na.myconnectwise.net' });
});
