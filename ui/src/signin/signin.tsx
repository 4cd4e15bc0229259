import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ApiError, api, forget, got } from '../api/client';
import { type Session, sessionQuery, waysQuery } from '../api/session';
import { FaultNote } from '../parts/fault';
import { Note } from '../parts/once';
import { Text } from '../parts/show';
import { Enrol } from './enrol';
import { FirstAdmin, Invitation, Reset } from './onetime';
import { goOn, linkOf, problemOf, problemWords } from './links';

/**
 * Takes a session that an answer brought. A one-time link is used up by it; an invitation
 * that is still to be accepted stays where that is asked for.
 */
export function useEnter({ keepsLink = false } = {}) {
  const queries = useQueryClient();
  return (to?: Session) => {
    forget();
    const link = linkOf(location);
    const on = goOn(location) ?? (link && !keepsLink ? (link.kind === 'first' ? '/setup' : '/') : undefined);
    if (on) {
      history.replaceState(null, '', on);
      dispatchEvent(new PopStateEvent('popstate'));
    }
    queries.removeQueries({ predicate: (q) => q.queryKey[0] !== 'session' || q.queryKey[1] === 'ways' });
    if (to) queries.setQueryData(sessionQuery.queryKey, to);
    else void queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
  };
}

export function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="signin">
      <title>{`${title} · Trueup`}</title>
      <main>
        <div className="brand">Trueup</div>
        <div className="stack">
          <h1>{title}</h1>
          {children}
        </div>
      </main>
    </div>
  );
}

export const fields = (error: unknown) => (error instanceof ApiError ? error.fields : {});

/** Everything before the first screen: what is still to be done, one step at a time. */
export default function SignIn({ session }: { session: Session }) {
  const link = linkOf(location);
  const [forgot, setForgot] = useState(false);
  const enter = useEnter();
  if (link?.kind === 'first') return <FirstAdmin token={link.token} />;
  if (link?.kind === 'reset') return <Reset token={link.token} />;
  if (link?.kind === 'invitation' && session.next !== 'code') return <Invitation token={link.token} session={session} />;
  if (session.next === 'code') return <Code />;
  if (!session.user) return forgot ? <Forgot onBack={() => setForgot(false)} /> : <Password onForgot={() => setForgot(true)} />;
  if (session.next === 'changePassword') return <ChangePassword />;
  if (session.next === 'enrolMfa') {
    return (
      <Card title="Set up your authenticator">
        <Enrol onDone={() => enter()} />
        <Leave />
      </Card>
    );
  }
  return <Workspace session={session} />;
}

function Leave() {
  const enter = useEnter();
  const leave = useMutation({ mutationFn: () => got(api.DELETE('/session')), onSettled: () => enter() });
  return (
    <button type="button" className="linklike" onClick={() => leave.mutate()}>
      Sign in as somebody else
    </button>
  );
}

function Password({ onForgot }: { onForgot: () => void }) {
  const enter = useEnter();
  const ways = useQuery(waysQuery).data;
  const form = useForm({ initialValues: { email: '', password: '' } });
  const signIn = useMutation({
    mutationFn: (body: { email: string; password: string }) => got(api.POST('/session', { body })),
    onSuccess: enter,
    onError: (e) => {
      form.setFieldValue('password', '');
      form.setErrors(fields(e));
    },
  });
  const problem = signIn.error ? undefined : problemOf(location);
  return (
    <Card title="Sign in">
      {ways?.nobody && (
        <Note>
          Nobody has an account here yet. Open the one-time link that Trueup gave when it started: on the terminal, or in the file first-admin.txt of its data directory.
        </Note>
      )}
      <form className="stack" onSubmit={form.onSubmit((v) => signIn.mutate(v))}>
        <TextInput label="E-mail" type="email" autoComplete="username" required autoFocus {...form.getInputProps('email')} />
        <PasswordInput label="Password" autoComplete="current-password" required {...form.getInputProps('password')} />
        {signIn.error && <FaultNote error={signIn.error} />}
        {problem && (
          <div className="note bad" role="alert">
            <div>
              {problemWords(problem)}
              <div className="small quiet">{problem}</div>
            </div>
          </div>
        )}
        <Button type="submit" variant="filled" loading={signIn.isPending}>
          Sign in
        </Button>
      </form>
      {ways?.provider && <Provider name={ways.name} email={form.values.email} />}
      <button type="button" className="linklike" onClick={onForgot}>
        Forgot your password?
      </button>
    </Card>
  );
}

/** The sign-in of somebody's organization; by the address, where there are several. */
function Provider({ name, email }: { name?: string; email: string }) {
  const go = useMutation({
    mutationFn: () => got(api.POST('/session/openid', { body: { ...(email ? { email } : {}), returnTo: goOn(location) ?? location.pathname + location.search } })),
    onSuccess: ({ location: to }) => {
      if (/^https?:\/\//i.test(to)) location.assign(to);
    },
  });
  return (
    <>
      <div className="or">or</div>
      {go.error && <FaultNote error={go.error} />}
      <Button onClick={() => go.mutate()} loading={go.isPending} disabled={!name && !email}>
        Continue with {name ? <Text>{name}</Text> : 'your organization'}
      </Button>
      {!name && !email && <p className="small quiet">Type your e-mail first: it says which organization that is.</p>}
    </>
  );
}

function Code() {
  const enter = useEnter({ keepsLink: true });
  const [code, setCode] = useState('');
  const [recovery, setRecovery] = useState(false);
  const give = useMutation({
    mutationFn: () => got(api.POST('/session/code', { body: { code: code.trim() } })),
    onSuccess: enter,
    onError: (e) => {
      setCode('');
      if (e instanceof ApiError && e.status === 401) enter();
    },
  });
  return (
    <Card title={recovery ? 'Recovery code' : 'Code of your authenticator'}>
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          give.mutate();
        }}
      >
        <TextInput
          key={String(recovery)}
          label={recovery ? 'One of your recovery codes' : 'Six digits'}
          description={recovery ? 'Each of them works once.' : undefined}
          autoComplete={recovery ? 'off' : 'one-time-code'}
          inputMode={recovery ? 'text' : 'numeric'}
          minLength={6}
          maxLength={40}
          required
          autoFocus
          value={code}
          onChange={(e) => setCode(e.currentTarget.value)}
        />
        {give.error && <FaultNote error={give.error} />}
        <Button type="submit" variant="filled" loading={give.isPending}>
          Continue
        </Button>
      </form>
      <button
        type="button"
        className="linklike"
        onClick={() => {
          setRecovery(!recovery);
          setCode('');
          give.reset();
        }}
      >
        {recovery ? 'Use the authenticator' : 'Use a recovery code'}
      </button>
      <Leave />
    </Card>
  );
}

function Forgot({ onBack }: { onBack: () => void }) {
  const [email, setEmail] = useState('');
  const ways = useQuery(waysQuery).data;
  const ask = useMutation({ mutationFn: () => got(api.POST('/password-resets', { body: { email } })) });
  return (
    <Card title="Forgot your password?">
      {ways && !ways.mail && <p>Trueup sends no mail here. Ask an administrator of your workspace for a link to set a new password.</p>}
      {ask.isSuccess && <p role="status">If there is an account with this address, a mail with a link is on its way. The link works for an hour.</p>}
      {(ways?.mail ?? true) && !ask.isSuccess && (
        <form
          className="stack"
          onSubmit={(e) => {
            e.preventDefault();
            ask.mutate();
          }}
        >
          <TextInput label="E-mail" type="email" autoComplete="username" required autoFocus value={email} onChange={(e) => setEmail(e.currentTarget.value)} />
          {ask.error && <FaultNote error={ask.error} />}
          <Button type="submit" variant="filled" loading={ask.isPending}>
            Send me a link
          </Button>
        </form>
      )}
      <button type="button" className="linklike" onClick={onBack}>
        Back to sign in
      </button>
    </Card>
  );
}

function ChangePassword() {
  const enter = useEnter();
  const form = useForm({ initialValues: { current: '', password: '', again: '' }, validate: { again: (v, all) => (v === all.password ? null : 'The two passwords differ.') } });
  const change = useMutation({
    mutationFn: (v: { current: string; password: string }) => got(api.PUT('/me/password', { body: { current: v.current, password: v.password } })),
    onSuccess: enter,
    onError: (e) => form.setErrors(fields(e)),
  });
  return (
    <Card title="Set a new password">
      <p>An administrator asks for a new one before you go on.</p>
      <form className="stack" onSubmit={form.onSubmit((v) => change.mutate(v))}>
        <PasswordInput label="Password now" autoComplete="current-password" required {...form.getInputProps('current')} />
        <PasswordInput label="New password" autoComplete="new-password" required {...form.getInputProps('password')} />
        <PasswordInput label="New password again" autoComplete="new-password" required {...form.getInputProps('again')} />
        {change.error && <FaultNote error={change.error} />}
        <Button type="submit" variant="filled" loading={change.isPending}>
          Set password
        </Button>
      </form>
      <Leave />
    </Card>
  );
}

function Workspace({ session }: { session: Session }) {
  const enter = useEnter();
  const choose = useMutation({ mutationFn: (workspace: number) => got(api.PUT('/session/workspace', { body: { workspace } })), onSuccess: enter });
  if (session.workspaces.length === 0) {
    return (
      <Card title="You are in no workspace">
        <p>Ask an administrator to invite {session.user?.email}.</p>
        <Leave />
      </Card>
    );
  }
  return (
    <Card title="Choose a workspace">
      {session.workspaces.map((w) => (
        <Button key={w.id} onClick={() => choose.mutate(w.id)} loading={choose.isPending && choose.variables === w.id}>
          <Text>{w.name}</Text>
        </Button>
      ))}
      {choose.error && <FaultNote error={choose.error} />}
      <Leave />
    </Card>
  );
}
