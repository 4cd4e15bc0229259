import { Button, Drawer, Modal, PasswordInput, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { FaultNote, Loaded } from '../../parts/fault';
import { Once } from '../../parts/once';
import { Text } from '../../parts/show';
import { fieldsOf, items, providerQuery } from './data';

type OpenID = Schemas['OpenIDProvider'];

/** The organization's own sign-in, in the place of passwords. */
export function Provider() {
  const provider = useQuery(providerQuery);
  const [editing, setEditing] = useState(false);
  const [removing, setRemoving] = useState(false);
  return (
    <section className="stack part" aria-labelledby="provider">
      <h2 id="provider">Your organization's sign-in</h2>
      <Loaded query={provider} what="The provider" rows={3}>
        {(p) =>
          p ? (
            <>
              <dl className="facts">
                <dt>Name</dt>
                <dd>
                  <Text>{p.name}</Text>
                </dd>
                <dt>Issuer</dt>
                <dd style={{ overflowWrap: 'anywhere' }}>{p.issuer}</dd>
                <dt>Client</dt>
                <dd>{p.clientId}</dd>
                <dt>Speaks for</dt>
                <dd>{p.domains.join(', ')}</dd>
              </dl>
              <div className="row">
                <Button onClick={() => setEditing(true)}>Change…</Button>
                <Button onClick={() => setRemoving(true)}>Remove…</Button>
              </div>
            </>
          ) : (
            <>
              <p className="quiet">People sign in with a password and their authenticator. With an OpenID provider, such as Microsoft Entra, they use the account that they have.</p>
              <div>
                <Button onClick={() => setEditing(true)}>Set up…</Button>
              </div>
            </>
          )
        }
      </Loaded>
      {editing && <Edit of={provider.data ?? undefined} onClose={() => setEditing(false)} />}
      {removing && provider.data && <Remove of={provider.data} onClose={() => setRemoving(false)} />}
    </section>
  );
}

function Edit({ of, onClose }: { of?: OpenID; onClose: () => void }) {
  const queries = useQueryClient();
  const form = useForm({
    initialValues: { name: of?.name ?? 'Microsoft', issuer: of?.issuer ?? '', clientId: of?.clientId ?? '', clientSecret: '', domains: of?.domains.join('\n') ?? '' },
  });
  const save = useMutation({
    mutationFn: (v: typeof form.values) =>
      got(
        api.PUT('/workspace/openid', {
          body: { name: v.name, issuer: v.issuer.trim(), clientId: v.clientId.trim(), domains: items(v.domains), ...(v.clientSecret ? { clientSecret: v.clientSecret } : {}) },
        }),
      ),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: providerQuery.queryKey });
    },
    onError: (e) => form.setErrors(fieldsOf(e)),
  });
  return (
    <Drawer opened onClose={onClose} title="Your organization's sign-in" size={520}>
      <form className="stack loose" onSubmit={form.onSubmit((v) => save.mutate(v))}>
        <div className="stack tight">
          <span>Enter this address at the provider, as the one it sends people back to</span>
          <Once what="The address to send back to">{of?.callback ?? `${location.origin}/api/v1/session/openid/callback`}</Once>
        </div>
        <TextInput label="Name" description={`The sign-in page says "Continue with ${form.values.name || '…'}".`} required maxLength={100} {...form.getInputProps('name')} />
        <TextInput label="Issuer" description="As the provider names itself. For Microsoft Entra, the id of your tenant is enough." required maxLength={2000} {...form.getInputProps('issuer')} />
        <TextInput label="Client id" required maxLength={200} autoComplete="off" {...form.getInputProps('clientId')} />
        <PasswordInput
          label="Client secret"
          description={of?.secret ? 'One is kept. Leave this empty to keep it.' : undefined}
          required={!of?.secret}
          autoComplete="new-password"
          {...form.getInputProps('clientSecret')}
        />
        <Textarea label="Speaks for" description="The domains of the e-mail addresses that it may vouch for, one a line." placeholder="msp.example" required autosize minRows={2} maxRows={8} {...form.getInputProps('domains')} />
        {save.error && <FaultNote error={save.error} />}
        <div className="row">
          <Button type="submit" variant="filled" loading={save.isPending}>
            Test and save
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Drawer>
  );
}

function Remove({ of, onClose }: { of: OpenID; onClose: () => void }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => got(api.DELETE('/workspace/openid')),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: providerQuery.queryKey });
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Remove ${of.name}?`}>
      <div className="stack">
        <p>Nobody can sign in with it any more, and sessions that it began end. Who has no password needs a link for one.</p>
        {remove.error && <FaultNote error={remove.error} />}
        <div className="row end">
          <Button onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button variant="filled" loading={remove.isPending} onClick={() => remove.mutate()}>
            Remove
          </Button>
        </div>
      </div>
    </Modal>
  );
}
