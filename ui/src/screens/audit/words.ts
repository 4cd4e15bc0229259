/** What the audit says was done, by what it was done to. */
const actions = {
  'Changes to bill': ['plan_approved', 'plan_postponed', 'plan_resumed', 'hold_answered', 'policy_changed', 'policy_saved'],
  'Links and profiles': [
    'link_saved',
    'link_not_billed',
    'link_removed',
    'link_made_by_rule',
    'links_moved',
    'rule_saved',
    'rule_removed',
    'profile_added',
    'profile_changed',
    'profile_retired',
    'profile_restored',
    'profile_removed',
    'cutover_applied',
  ],
  'Customers and connections': [
    'customer_added',
    'customer_changed',
    'customer_removed',
    'tenant_consented',
    'tenant_still_ours',
    'connection_added',
    'connection_changed',
    'connection_signed_in',
    'connection_removed',
    'consents_started',
    'consent_link_made',
    'agreement_type_confirmed',
  ],
  Syncs: ['sync_asked', 'sync_cancelled'],
  Settings: ['settings_changed', 'setup_step_changed', 'notifications_changed', 'mute_added', 'mute_removed'],
  Users: ['first_admin_made', 'user_added', 'user_invited', 'invitation_accepted', 'invitation_removed', 'user_changed', 'user_removed', 'user_signed_out', 'token_made', 'token_ended'],
  'Signing in': [
    'signed_in',
    'sign_in_failed',
    'code_refused',
    'recovery_code_used',
    'signed_out',
    'signed_out_everywhere',
    'session_ended',
    'workspace_chosen',
    'password_changed',
    'password_reset',
    'reset_asked',
    'reset_made',
    'authenticator_enrolled',
    'authenticator_removed',
    'recovery_codes_renewed',
    'sign_in_policy_saved',
    'provider_saved',
    'provider_removed',
  ],
} as const;

/** A code as words: user_invited is "User invited". */
export function words(code: string): string {
  const text = code.replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The choice of what was done; an address may name one that isn't listed. */
export function actionChoice(asked?: string) {
  const groups = Object.entries(actions).map(([group, codes]) => ({ group, items: codes.map((value) => ({ value: value as string, label: words(value) })) }));
  if (asked && !groups.some((g) => g.items.some((i) => i.value === asked))) groups.push({ group: 'Other', items: [{ value: asked, label: words(asked) }] });
  return groups;
}

/** A field of what was before and is after. */
export interface Field {
  name: string;
  before?: string;
  after?: string;
}

function lines(side: string | undefined): Map<string, string> {
  const fields = new Map<string, string>();
  let last = '';
  for (const line of (side ?? '').split('\n')) {
    const [, name, value] = /^([A-Za-z][A-Za-z0-9]*): (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) {
      last = name;
      fields.set(name, value);
    } else if (last) fields.set(last, `${fields.get(last)}\n${line}`);
    else if (line) fields.set('', line);
  }
  return fields;
}

/** What changed, field by field: "role: viewer" before and "role: billing" after are one. */
export function changes(before: string | undefined, after: string | undefined): Field[] {
  const was = lines(before);
  const is = lines(after);
  return [...new Set([...was.keys(), ...is.keys()])].sort().map((name) => ({ name, before: was.get(name), after: is.get(name) }));
}

/** A field's name as words: allowedAddresses is "Allowed addresses". */
export const fieldName = (name: string) => words(name.replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`)).replace(/^Mfa\b/, 'MFA');
