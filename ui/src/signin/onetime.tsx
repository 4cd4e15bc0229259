import { Button, PasswordInput, Select, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api, got } from '../api/client';
import type { Session } from '../api/session';
import { FaultNote, Loaded } from '../parts/fault';
import { Text } from '../parts/show';
import { Card, fields, useEnter } from './signin';

const differ = { again: (v: string, all: { password: string }) => (v === all.password ? null : 'The two passwords differ.') };

/** A link that was cut or mistyped says so at once. */
function Spoilt({ title, what }: { title: string; what: string }) {
  const enter = useEnter();
  return (
    <Card title={title}>
      <p>This link is not whole. Copy all of it from {what}, also what follows the # sign.</p>
      <button type="button" className="linklike" onClick={() => enter()}>
        Sign in
      </button>
    </Card>
  );
}

/** The first administrator makes their account and the workspace. */
export function FirstAdmin({ token }: { token: string }) {
  const enter = useEnter();
  const zones = useMemo(() => ['UTC', ...Intl.supportedValuesOf('timeZone').filter((z) => z !== 'UTC')], []);
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const form = useForm({
    initialValues: { name: '', email: '', password: '', again: '', workspace: '', timeZone: zones.includes(here) ? here : 'UTC' },
    validate: differ,
  });
  const make = useMutation({
    mutationFn: ({ name, email, password, workspace, timeZone }: typeof form.values) =>
      got(api.POST('/first-admin', { body: { token, name, email, password, workspace, timeZone } })),
    onSuccess: enter,
    onError: (e) => form.setErrors(fields(e)),
  });
  if (!token) return <Spoilt title="Welcome to Trueup" what="the terminal" />;
  return (
    <Card title="Welcome to Trueup">
      <p>You are the first here. Make your account and the workspace of your company.</p>
      <form className="stack" onSubmit={form.onSubmit((v) => make.mutate(v))}>
        <TextInput label="Company" autoComplete="organization" required maxLength={200} autoFocus {...form.getInputProps('workspace')} />
        <Select label="Time zone" description="Nights, days and times are of this zone." data={zones} searchable required {...form.getInputProps('timeZone')} />
        <TextInput label="Your name" autoComplete="name" required maxLength={200} {...form.getInputProps('name')} />
        <TextInput label="E-mail" type="email" autoComplete="username" required {...form.getInputProps('email')} />
        <PasswordInput label="Password" autoComplete="new-password" required {...form.getInputProps('password')} />
        <PasswordInput label="Password again" autoComplete="new-password" required {...form.getInputProps('again')} />
        {make.error && <FaultNote error={make.error} />}
        <Button type="submit" variant="filled" loading={make.isPending}>
          Make account and workspace
        </Button>
      </form>
    </Card>
  );
}

/** A new password by the link of a mail, or of an administrator. */
export function Reset({ token }: { token: string }) {
  const enter = useEnter();
  const form = useForm({ initialValues: { password: '', again: '' }, validate: differ });
  const reset = useMutation({
    mutationFn: (v: { password: string }) => got(api.PUT('/password-resets', { body: { token, password: v.password } })),
    onSuccess: enter,
    onError: (e) => form.setErrors(fields(e)),
  });
  if (!token) return <Spoilt title="Set a new password" what="the mail" />;
  return (
    <Card title="Set a new password">
      <form className="stack" onSubmit={form.onSubmit((v) => reset.mutate(v))}>
        <PasswordInput label="New password" autoComplete="new-password" required autoFocus {...form.getInputProps('password')} />
        <PasswordInput label="New password again" autoComplete="new-password" required {...form.getInputProps('again')} />
        {reset.error && <FaultNote error={reset.error} />}
        <Button type="submit" variant="filled" loading={reset.isPending}>
          Set password
        </Button>
      </form>
      <button type="button" className="linklike" onClick={() => enter()}>
        Back to sign in
      </button>
    </Card>
  );
}

const as = { viewer: 'to look', technician: 'as a technician', billing: 'for billing', admin: 'as an administrator' } as const;

/** An invitation: a new account, or another workspace for one that is there. */
export function Invitation({ token, session }: { token: string; session: Session }) {
  const enter = useEnter();
  const invitation = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => got(api.POST('/invitations/look', { body: { token } })),
    enabled: token !== '',
    retry: false,
  });
  if (!token) return <Spoilt title="You are invited" what="the invitation" />;
  return (
    <Card title="You are invited">
      {invitation.error && (
        <p className="quiet">
          An administrator can send it again. Have you accepted it already?{' '}
          <button type="button" className="linklike" onClick={() => enter()}>
            Sign in
          </button>
        </p>
      )}
      <Loaded query={invitation} what="The invitation" rows={3}>
        {(i) => (
          <>
            <p>
              <Text>{i.by}</Text> invites you to <b><Text>{i.workspace}</Text></b>, {as[i.role]}.
            </p>
            {i.known ? <AcceptKnown token={token} email={i.email} session={session} /> : <AcceptNew token={token} email={i.email} />}
          </>
        )}
      </Loaded>
    </Card>
  );
}

function AcceptKnown({ token, email, session }: { token: string; email: string; session: Session }) {
  const enter = useEnter();
  const come = useEnter({ keepsLink: true });
  const accept = useMutation({ mutationFn: () => got(api.POST('/invitations/accept', { body: { token } })), onSuccess: enter });
  const signIn = useMutation({ mutationFn: (password: string) => got(api.POST('/session', { body: { email, password } })), onSuccess: come, onError: () => form.reset() });
  const leave = useMutation({ mutationFn: () => got(api.DELETE('/session')), onSettled: () => come() });
  const form = useForm({ initialValues: { password: '' } });
  if (session.user?.email.toLowerCase() === email.toLowerCase()) {
    return (
      <>
        {accept.error && <FaultNote error={accept.error} />}
        <Button variant="filled" loading={accept.isPending} onClick={() => accept.mutate()}>
          Accept
        </Button>
      </>
    );
  }
  return (
    <form className="stack" onSubmit={form.onSubmit((v) => signIn.mutate(v.password))}>
      <p>{session.user ? `You are signed in as ${session.user.email}. The invitation is for another account.` : 'You have an account. Sign in to accept.'}</p>
      <TextInput label="E-mail" autoComplete="username" value={email} readOnly />
      <PasswordInput label="Password" autoComplete="current-password" required {...form.getInputProps('password')} />
      {signIn.error && <FaultNote error={signIn.error} />}
      <Button type="submit" variant="filled" loading={signIn.isPending}>
        Sign in
      </Button>
      {session.user && (
        <button type="button" className="linklike" onClick={() => leave.mutate()}>
          Sign out
        </button>
      )}
    </form>
  );
}

function AcceptNew({ token, email }: { token: string; email: string }) {
  const enter = useEnter();
  const form = useForm({ initialValues: { name: '', password: '', again: '' }, validate: differ });
  const accept = useMutation({
    mutationFn: (v: { name: string; password: string }) => got(api.POST('/invitations/accept', { body: { token, name: v.name, password: v.password } })),
    onSuccess: enter,
    onError: (e) => form.setErrors(fields(e)),
  });
  return (
    <form className="stack" onSubmit={form.onSubmit((v) => accept.mutate(v))}>
      <TextInput label="E-mail" autoComplete="username" value={email} readOnly />
      <TextInput label="Your name" autoComplete="name" required maxLength={200} autoFocus {...form.getInputProps('name')} />
      <PasswordInput label="Password" autoComplete="new-password" required {...form.getInputProps('password')} />
      <PasswordInput label="Password again" autoComplete="new-password" required {...form.getInputProps('again')} />
      {accept.error && <FaultNote error={accept.error} />}
      <Button type="submit" variant="filled" loading={accept.isPending}>
        Accept
      </Button>
    </form>
  );
}
