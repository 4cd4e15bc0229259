import { expect, it } from 'vitest';
import { errand } from './checks';

it('an administrator is told by name what is missing, and what to do', () => {
  const text = errand(
    [{ code: 'missing_permission', name: 'Finance > Agreements: edit', ok: false, needed: true, text: 'The role lacks it.', action: 'Set it in ConnectWise.' }],
    'the security role of the API member',
  );
  expect(text).toBe('Trueup needs this from you, for the security role of the API member:\n\n- Finance > Agreements: edit: The role lacks it. Set it in ConnectWise.');
});
