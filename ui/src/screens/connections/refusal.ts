import type { Connection } from './data';

/** Refusals that mean something of their own at a sign-in; the others are told by the connection's state. */
const refusals: Record<string, [what: string, action: string]> = {
  AADSTS65004: ['Consent was refused at Microsoft.', 'Sign in again and accept what the app asks for.'],
  access_denied: ['Consent was refused at Microsoft.', 'Sign in again and accept what the app asks for.'],
  permission_denied: ['The administrator cancelled the consent.', 'Open the link again and accept what the app asks for.'],
  consent_over: ['This sign-in is over: it took too long, or began in another browser.', 'Begin it again from Trueup.'],
  other_tenant: ["The consent was given in another tenant than this customer's.", "Have an administrator of the customer's own tenant open the link."],
  AADSTS50020: ['The account that signed in is of another tenant.', "Sign in with an admin account of the partner's own tenant."],
  AADSTS50105: ['This account may not use the app.', 'Assign it to the app in Microsoft Entra, or sign in with another one.'],
  AADSTS90094: ['This account is no administrator, so it can not consent.', 'Sign in with an account that is Global Administrator or Cloud Application Administrator.'],
};

/** What Microsoft's refusal of a sign-in means, in words. */
export function refusal(code: string, c?: Connection): [what: string, action: string] {
  const known = Object.hasOwn(refusals, code) ? refusals[code] : undefined;
  if (known) return known;
  const h = c?.health;
  if (h?.state === 'broken' && h.text) return [h.text, h.action ?? ''];
  return ['Microsoft refused the sign-in.', `Begin it again; its code is ${code}.`];
}
