import { type ButtonHTMLAttributes, type ReactNode, useCallback, useEffect, useState } from 'react';
import { exactly, when } from '../format';
import { Fault } from './model';
import type { Pod } from './pod';

// The token says nothing of the workspace's zone: times are those of who looks.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Text from outside, alone in its writing direction. */
export const Text = ({ children }: { children: ReactNode }) => <bdi>{children}</bdi>;

export const Time = ({ at }: { at: string }) => (
  <time dateTime={at} title={exactly(at, zone)}>
    {when(at, zone)}
  </time>
);

export const today = (plus = 0) => new Date(Date.now() + plus * 86_400_000).toLocaleDateString('sv-SE');
export { zone };

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & { kind?: 'main' | 'link' };
export const Button = ({ kind, ...rest }: ButtonProps) => <button type="button" className={kind ?? 'button'} {...rest} />;

/** The ref of what takes the focus when it comes. */
export const takesFocus = (at: HTMLElement | null) => at?.focus();

/** Opens something in ConnectWise or in the dashboard, in a tab of its own; only addresses of the web. */
export const Outward = ({ to, className, children }: { to?: string; className?: string; children: ReactNode }) =>
  to && (to.startsWith('/') || /^https?:\/\//i.test(to)) ? (
    <a href={to} target="_blank" rel="noopener noreferrer" className={className}>
      {children}
    </a>
  ) : (
    <>{children}</>
  );

export const Note = ({ kind, action, children }: { kind: 'bad' | 'warn' | 'info'; action?: ReactNode; children: ReactNode }) => (
  <div className={`note ${kind}`} role={kind === 'bad' ? 'alert' : undefined}>
    <div>{children}</div>
    {action}
  </div>
);

export const Reference = ({ fault: f }: { fault: Fault }) =>
  f.reference ? (
    <span className="small">
      {' '}
      Reference <span data-reference>{f.reference}</span>
    </span>
  ) : null;

/** What went wrong, where it went wrong. */
export const FaultNote = ({ fault, retry }: { fault?: Fault; retry?: () => void }) =>
  fault ? (
    <Note kind="bad" action={retry && <Button onClick={retry}>Try again</Button>}>
      {fault.detail} {fault.action}
      <Reference fault={fault} />
    </Note>
  ) : null;

/** 84 → 87, and "84 becomes 87" to who hears it. */
export const Becomes = ({ from, to }: { from: number; to: number }) =>
  from === to ? (
    <>{to}</>
  ) : (
    <>
      <span aria-hidden="true">
        <span className="quiet">{from} →</span> <b>{to}</b>
      </span>
      <span className="unseen">
        {from} becomes {to}
      </span>
    </>
  );

const asFault = (e: unknown) => (e instanceof Fault ? e : undefined);

/** Something that is asked for when it is looked at; again when the path changes. */
export function useAsked<T>(pod: Pod, path: string | undefined) {
  const [got, setGot] = useState<{ path?: string; data?: T; fault?: Fault }>({});
  const ask = useCallback(() => {
    if (!path) return undefined;
    let stale = false;
    setGot((before) => ({ data: before.data, path: before.path }));
    pod.ask<T>('GET', path).then(
      (data) => stale || setGot({ path, data }),
      (e: unknown) => stale || setGot({ path, fault: asFault(e) }),
    );
    return () => {
      stale = true;
    };
  }, [pod, path]);
  useEffect(ask, [ask]);
  return { data: got.data, fault: got.fault, again: ask };
}

/** One write at a time, and why it was refused. */
export function useDo() {
  const [state, setState] = useState<{ busy?: boolean; fault?: Fault }>({});
  const run = useCallback(async (what: () => Promise<void>) => {
    setState({ busy: true });
    try {
      await what();
      setState({});
    } catch (e) {
      setState({ fault: asFault(e) });
    }
  }, []);
  return { ...state, run };
}
