import { Button, Drawer, PasswordInput, SegmentedControl, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, api, got } from '../api/client';
import { sessionQuery, useMe } from '../api/session';
import { many } from '../format';
import { FaultNote, Loaded } from '../parts/fault';
import { Text, Time } from '../parts/show';
import { Codes, Enrol } from '../signin/enrol';
import { device } from './device';

type Part = 'password' | 'mfa' | 'sessions';

/** One's own account: name and password, authenticator, sessions. */
export default function Account({ begin, onClose }: { begin: Part; onClose: () => void }) {
  const [part, setPart] = useState<Part>(begin);
  return (
    <Drawer opened onClose={onClose} title="Your account" size={440}>
      <div className="stack loose">
        <SegmentedControl
          fullWidth
          value={part}
          onChange={(v) => setPart(v as Part)}
          data={[
            { value: 'password', label: 'Name and password' },
            { value: 'mfa', label: 'Authenticator' },
            { value: 'sessions', label: 'Sessions' },
          ]}
        />
        {part === 'password' && (
          <>
            <Name />
            <Password />
          </>
        )}
        {part === 'mfa' && <Authenticator />}
        {part === 'sessions' && <Sessions />}
      </div>
    </Drawer>
  );
}

const fieldsOf = (error: unknown) => (error instanceof ApiError ? error.fields : {});

function Name() {
  const { user } = useMe();
  const queries = useQueryClient();
  const form = useForm({ initialValues: { name: user?.name ?? '' } });
  const save = useMutation({
    mutationFn: (body: { name: string }) => got(api.PUT('/me', { body })),
    onError: (e) => form.setErrors(fieldsOf(e)),
    onSuccess: () => queries.invalidateQueries({ queryKey: sessionQuery.queryKey }),
  });
  return (
    <form className="stack" onSubmit={form.onSubmit((v) => save.mutate(v))}>
      <TextInput label="Name" autoComplete="name" required maxLength={200} {...form.getInputProps('name')} />
      {save.error && <FaultNote error={save.error} />}
      <div className="row">
        <Button type="submit" loading={save.isPending} disabled={!form.isDirty()}>
          Save name
        </Button>
        <span role="status">{save.isSuccess && 'Saved.'}</span>
      </div>
    </form>
  );
}

function Password() {
  const { user } = useMe();
  const form = useForm({ initialValues: { current: '', password: '', again: '' }, validate: { again: (v, all) => (v === all.password ? null : 'The two passwords differ.') } });
  const save = useMutation({
    mutationFn: (v: { current: string; password: string }) => got(api.PUT('/me/password', { body: { password: v.password, ...(user?.hasPassword ? { current: v.current } : {}) } })),
    onError: (e) => form.setErrors(fieldsOf(e)),
    onSuccess: () => form.reset(),
  });
  return (
    <form className="stack" onSubmit={form.onSubmit((v) => save.mutate(v))}>
      <h3>Password</h3>
      <input type="text" autoComplete="username" value={user?.email ?? ''} readOnly hidden />
      {user?.hasPassword && <PasswordInput label="Password now" autoComplete="current-password" required {...form.getInputProps('current')} />}
      <PasswordInput label="New password" autoComplete="new-password" required {...form.getInputProps('password')} />
      <PasswordInput label="New password again" autoComplete="new-password" required {...form.getInputProps('again')} />
      {save.error && <FaultNote error={save.error} />}
      <div className="row">
        <Button type="submit" loading={save.isPending}>
          Change password
        </Button>
        <span role="status">{save.isSuccess && 'Changed. Your other sessions have ended.'}</span>
      </div>
    </form>
  );
}

function Authenticator() {
  const { user } = useMe();
  const queries = useQueryClient();
  const [enrolling, setEnrolling] = useState(false);
  const [code, setCode] = useState('');
  const codes = useMutation({ mutationFn: () => got(api.POST('/me/recovery-codes', { body: { code } })), onSettled: () => setCode('') });
  const again = () => queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
  if (enrolling) {
    return (
      <Enrol
        onDone={() => {
          setEnrolling(false);
          void again();
        }}
      />
    );
  }
  if (codes.data) {
    return (
      <Codes
        codes={codes.data.codes}
        onDone={() => {
          codes.reset();
          void again();
        }}
      />
    );
  }
  return (
    <div className="stack loose">
      <div className="stack">
        <p>{user?.mfa ? 'Your sign-in asks for a code of your authenticator.' : 'Your sign-in asks for no code.'}</p>
        <div>
          <Button onClick={() => setEnrolling(true)}>{user?.mfa ? 'Change authenticator' : 'Set up an authenticator'}</Button>
        </div>
      </div>
      {user?.mfa && (
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            codes.mutate();
          }}
        >
          <h3>Recovery codes</h3>
          <p className="quiet">{many(user.recoveryCodesLeft, 'code')} left. New ones end the old ones.</p>
          <TextInput label="Code of your authenticator" autoComplete="one-time-code" inputMode="numeric" required value={code} onChange={(e) => setCode(e.currentTarget.value)} />
          {codes.error && <FaultNote error={codes.error} />}
          <div>
            <Button type="submit" loading={codes.isPending}>
              Make new codes
            </Button>
          </div>
        </form>
      )}
    </div>
  );
}

function Sessions() {
  const queries = useQueryClient();
  const key = ['me', 'sessions'];
  const sessions = useQuery({ queryKey: key, queryFn: () => got(api.GET('/me/sessions')) });
  const end = useMutation({
    mutationFn: (session: string) => got(api.DELETE('/me/sessions/{session}', { params: { path: { session } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: key }),
  });
  const everywhere = useMutation({
    mutationFn: () => got(api.DELETE('/me/sessions')),
    onSuccess: () => queries.invalidateQueries({ queryKey: sessionQuery.queryKey }),
  });
  return (
    <Loaded query={sessions} what="Your sessions" rows={3}>
      {(data) => (
        <div className="stack loose">
          <ul className="stack" style={{ listStyle: 'none', padding: 0 }}>
            {data.items.map((s) => (
              <li key={s.id} className="between">
                <div>
                  <div title={s.agent}>
                    <Text>{device(s.agent)}</Text>
                  </div>
                  <div className="small quiet">
                    {s.address}, seen <Time at={s.lastSeen} />
                  </div>
                </div>
                {s.current ? (
                  <span className="quiet">This one</span>
                ) : (
                  <Button onClick={() => end.mutate(s.id)} disabled={end.isPending}>
                    Sign out<span className="unseen"> of {device(s.agent)}</span>
                  </Button>
                )}
              </li>
            ))}
          </ul>
          {(end.error ?? everywhere.error) && <FaultNote error={end.error ?? everywhere.error} />}
          <div>
            <Button onClick={() => everywhere.mutate()} loading={everywhere.isPending}>
              Sign out everywhere
            </Button>
          </div>
        </div>
      )}
    </Loaded>
  );
}
