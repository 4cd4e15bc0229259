import './users.css';
import { Button, NumberInput, Switch, Textarea } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, match, type Schemas } from '../../api/client';
import { FaultNote, Loaded } from '../../parts/fault';
import { fieldsOf, items, securityQuery } from './data';
import { Provider } from './provider';

/** How people sign in to this workspace. */
export function Security() {
  const security = useQuery(securityQuery);
  const [saved, setSaved] = useState(false);
  return (
    <div className="inner form stack loose">
      <Loaded query={security} what="How people sign in" rows={5}>
        {(data) => <Policy key={data.version} of={data} saved={saved} onSaved={() => setSaved(true)} />}
      </Loaded>
      <Provider />
    </div>
  );
}

// A saved policy has another version, and so another form: what is kept of it is above.
function Policy({ of, saved, onSaved }: { of: Schemas['Security']; saved: boolean; onSaved: () => void }) {
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { mfaRequired: of.settings.mfaRequired, sessionHours: of.settings.sessionHours as number | string, allowedAddresses: of.settings.allowedAddresses.join('\n') },
  });
  const save = useMutation({
    mutationFn: (v: typeof form.values) =>
      got(
        api.PUT('/workspace/security', {
          params: { header: match(of.version) },
          body: { mfaRequired: v.mfaRequired, sessionHours: Number(v.sessionHours) || 0, allowedAddresses: items(v.allowedAddresses) },
        }),
      ),
    onSuccess: () => {
      onSaved();
      return queries.invalidateQueries({ queryKey: securityQuery.queryKey });
    },
    onError: (e) => form.setErrors(fieldsOf(e)),
  });
  return (
    <form className="stack loose" onSubmit={form.onSubmit((v) => save.mutate(v))}>
      <Switch
        label="An authenticator is required"
        description={form.values.mfaRequired ? 'Who has none yet sets one up at the next sign-in.' : 'A password alone lets people in. Whoever learns one can approve what is billed.'}
        {...form.getInputProps('mfaRequired', { type: 'checkbox' })}
      />
      <NumberInput
        label="A session lasts at most"
        description="Then people sign in again, whatever they do. One that is not used ends after two hours."
        suffix=" hours"
        min={1}
        max={720}
        allowDecimal={false}
        w={360}
        {...form.getInputProps('sessionHours')}
      />
      <Textarea
        label="Networks from which it can be used"
        description="Addresses or networks, one a line, for people and programs. Empty: from everywhere."
        placeholder="203.0.113.0/24"
        autosize
        minRows={2}
        maxRows={10}
        {...form.getInputProps('allowedAddresses')}
      />
      {save.error && <FaultNote error={save.error} />}
      <div className="row">
        <Button type="submit" variant="filled" loading={save.isPending} disabled={!form.isDirty()}>
          Save
        </Button>
        {form.isDirty() && <Button onClick={() => form.reset()}>Discard</Button>}
        <span role="status">{saved && !form.isDirty() && 'Saved.'}</span>
      </div>
    </form>
  );
}
