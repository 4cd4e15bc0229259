import './users.css';
import { Button, Drawer, Modal, Select, Switch, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got, match } from '../../api/client';
import { sessionQuery, useMe } from '../../api/session';
import { FaultNote, FaultState, Loaded } from '../../parts/fault';
import { Note } from '../../parts/once';
import { roleChoice, roleDoes } from '../../parts/roles';
import { Text, Time } from '../../parts/show';
import { device } from '../../shell/device';
import { fieldsOf, isLastAdmin, type User, usersQuery } from './data';
import { Handed } from './invite';

/** One user: what they may do, where they are signed in, and the ways to let them in again. */
export function UserDrawer({ id, onClose }: { id: number; onClose: () => void }) {
  const users = useQuery(usersQuery);
  const user = users.data?.items.find((u) => u.id === id);
  const last = isLastAdmin(users.data?.items ?? [], id);
  const { user: me } = useMe();
  const [saved, setSaved] = useState(false);
  return (
    <Drawer
      opened
      onClose={onClose}
      size={480}
      title={
        <div>
          <Text>{user?.name ?? 'User'}</Text>
          {user && (
            <div className="quiet small">
              <Text>{user.email}</Text>
            </div>
          )}
        </div>
      }
    >
      <Loaded query={users} what="The user" rows={6}>
        {() =>
          user ? (
            <div className="stack loose">
              <Facts of={user} />
              <Change key={user.version} of={user} last={last} saved={saved} onSaved={() => setSaved(true)} />
              <Sessions of={user} own={user.id === me?.id} />
              {user.id === me?.id ? <p className="quiet part">Your own password and authenticator are under your name, at the lower left.</p> : <LetIn of={user} />}
              <Remove of={user} last={last} onGone={onClose} />
            </div>
          ) : (
            <p>This user is not in the workspace any more.</p>
          )
        }
      </Loaded>
    </Drawer>
  );
}

function Facts({ of: u }: { of: User }) {
  return (
    <dl className="facts">
      <dt>Last seen</dt>
      <dd>{u.lastSeen ? <Time at={u.lastSeen} full /> : 'Never'}</dd>
      <dt>Authenticator</dt>
      <dd>{u.mfa ? 'Set up' : 'None yet'}</dd>
      {u.locked && (
        <>
          <dt>Sign-in</dt>
          <dd>
            Locked until <Time at={u.locked} full />, after too many tries that failed
          </dd>
        </>
      )}
    </dl>
  );
}

// A user who was changed has another version, and so another form.
function Change({ of: u, last, saved, onSaved }: { of: User; last: boolean; saved: boolean; onSaved: () => void }) {
  const queries = useQueryClient();
  const form = useForm({ initialValues: { role: u.role, member: u.member ?? '', works: !u.disabled } });
  const save = useMutation({
    mutationFn: (v: typeof form.values) =>
      got(api.PUT('/users/{user}', { params: { path: { user: u.id }, header: match(u.version) }, body: { role: v.role, member: v.member.trim(), disabled: !v.works } })),
    onSuccess: () => {
      onSaved();
      return Promise.all([queries.invalidateQueries({ queryKey: ['users'] }), queries.invalidateQueries({ queryKey: sessionQuery.queryKey })]);
    },
    onError: (e) => form.setErrors(fieldsOf(e)),
  });
  return (
    <form className="stack" onSubmit={form.onSubmit((v) => save.mutate(v))}>
      <Select label="Role" description={roleDoes(form.values.role)} data={roleChoice} disabled={last} {...form.getInputProps('role')} />
      <TextInput
        label="ConnectWise member"
        description="The member that this user is in ConnectWise. Trueup knows them by it inside ConnectWise."
        placeholder="Such as SCarter"
        maxLength={100}
        {...form.getInputProps('member')}
      />
      <Switch label="May work in this workspace" disabled={last} {...form.getInputProps('works', { type: 'checkbox' })} />
      {last && <p className="quiet small">This is the last administrator. Make someone else an administrator first.</p>}
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

function Sessions({ of: u, own }: { of: User; own: boolean }) {
  const queries = useQueryClient();
  const path = { user: u.id };
  const key = ['users', 'sessions', u.id];
  const sessions = useQuery({ queryKey: key, queryFn: () => got(api.GET('/users/{user}/sessions', { params: { path } })) });
  const end = useMutation({
    mutationFn: () => got(api.DELETE('/users/{user}/sessions', { params: { path } })),
    onSettled: () => Promise.all([queries.invalidateQueries({ queryKey: key }), own && queries.invalidateQueries({ queryKey: sessionQuery.queryKey })]),
  });
  if (sessions.error) return <FaultState what="The sessions" error={sessions.error} onRetry={() => void sessions.refetch()} />;
  const all = sessions.data?.items ?? [];
  return (
    <section className="stack part" aria-labelledby="user-sessions">
      <div className="between">
        <h3 id="user-sessions">Signed in</h3>
        {all.length > 0 && (
          <Button onClick={() => end.mutate()} loading={end.isPending}>
            Sign out everywhere
          </Button>
        )}
      </div>
      {sessions.data && all.length === 0 && <p className="quiet">Nowhere.</p>}
      <ul className="stack tight" style={{ listStyle: 'none', padding: 0 }}>
        {all.map((s) => (
          <li key={s.id}>
            <span title={s.agent}>
              <Text>{device(s.agent)}</Text>
            </span>
            <span className="quiet">
              , {s.address}, seen <Time at={s.lastSeen} />
              {s.current && ', this one'}
            </span>
          </li>
        ))}
      </ul>
      {end.error && <FaultNote error={end.error} />}
    </section>
  );
}

/** Lets somebody in again who lost password or authenticator. */
function LetIn({ of: u }: { of: User }) {
  const queries = useQueryClient();
  const path = { user: u.id };
  const [code, setCode] = useState('');
  const link = useMutation({ mutationFn: () => got(api.POST('/users/{user}/password-reset', { params: { path } })) });
  const reset = useMutation({
    mutationFn: () => got(api.POST('/users/{user}/mfa-reset', { params: { path }, body: { code: code.trim() } })),
    onSettled: () => setCode(''),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['users'] }),
  });
  return (
    <section className="stack part" aria-labelledby="let-in">
      <h3 id="let-in">Can't sign in?</h3>
      {link.data ? (
        <Handed link={link.data} to={u.email} />
      ) : (
        <div className="row wrap">
          <Button onClick={() => link.mutate()} loading={link.isPending}>
            Send a link for a new password
          </Button>
        </div>
      )}
      {link.error && <FaultNote error={link.error} />}
      {reset.isSuccess && <Note tone="ok">The authenticator is taken away. The next sign-in begins with a new one.</Note>}
      {u.mfa && (
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            reset.mutate();
          }}
        >
          <TextInput
            label="Code of your own authenticator"
            description={`Takes the authenticator of ${u.name} away and signs them out everywhere. Be sure that it is they who ask.`}
            autoComplete="one-time-code"
            minLength={6}
            maxLength={40}
            required
            value={code}
            onChange={(e) => setCode(e.currentTarget.value)}
          />
          {reset.error && <FaultNote error={reset.error} />}
          <div>
            <Button type="submit" loading={reset.isPending}>
              Reset authenticator
            </Button>
          </div>
        </form>
      )}
    </section>
  );
}

function Remove({ of: u, last, onGone }: { of: User; last: boolean; onGone: () => void }) {
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const remove = useMutation({
    mutationFn: () => got(api.DELETE('/users/{user}', { params: { path: { user: u.id } } })),
    onSuccess: async () => {
      onGone();
      await Promise.all([queries.invalidateQueries({ queryKey: ['users'] }), queries.invalidateQueries({ queryKey: sessionQuery.queryKey })]);
    },
  });
  return (
    <section className="stack part" aria-labelledby="remove-user">
      <h3 id="remove-user">Take out of the workspace</h3>
      <p className="quiet">{last ? 'Make someone else an administrator first.' : 'The sessions here end, and so do the API tokens that this user made.'}</p>
      <div>
        <Button onClick={() => setOpen(true)} disabled={last}>
          Remove…
        </Button>
      </div>
      <Modal opened={open} onClose={() => setOpen(false)} title="Remove this user?">
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            if (typed.trim() === u.name) remove.mutate();
          }}
        >
          <p>
            Type{' '}
            <b>
              <Text>{u.name}</Text>
            </b>{' '}
            to remove this user.
          </p>
          <TextInput aria-label="Name of the user" value={typed} onChange={(e) => setTyped(e.currentTarget.value)} data-autofocus />
          {remove.error && <FaultNote error={remove.error} />}
          <div className="row end">
            <Button onClick={() => setOpen(false)}>Cancel</Button>
            <Button type="submit" variant="filled" disabled={typed.trim() !== u.name} loading={remove.isPending}>
              Remove
            </Button>
          </div>
        </form>
      </Modal>
    </section>
  );
}
