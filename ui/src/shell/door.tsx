import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useSyncExternalStore } from 'react';
import { isIn, sessionQuery } from '../api/session';
import { FaultState } from '../parts/fault';
import { goOn, linkOf } from '../signin/links';
import { frameOf } from '../signin/window';

const SignIn = lazy(() => import('../signin/signin'));
const FrameSignIn = lazy(() => import('../signin/frame'));

// A one-time link is left without a load: the address changes under the page.
const moves = (on: () => void) => {
  addEventListener('popstate', on);
  return () => removeEventListener('popstate', on);
};

/** Lets in who is signed in; everybody else does first what is still to be done. */
export function Door({ children }: { children: ReactNode }) {
  const session = useQuery(sessionQuery);
  useSyncExternalStore(moves, () => location.pathname + location.hash);
  if (session.data === undefined) {
    if (session.error) return <FaultState what="Trueup" error={session.error} onRetry={() => void session.refetch()} screen />;
    return <Waiting />;
  }
  if (linkOf(location) || !isIn(session.data)) {
    return (
      <Suspense fallback={<Waiting />}>
        <SignIn session={session.data} />
      </Suspense>
    );
  }
  const frame = frameOf(location);
  if (frame) {
    return (
      <Suspense fallback={<Waiting />}>
        <FrameSignIn frame={frame} />
      </Suspense>
    );
  }
  const on = goOn(location);
  if (on) history.replaceState(null, '', on);
  return children;
}

const Waiting = () => (
  <div aria-busy="true" className="unseen" role="status">
    Loading
  </div>
);
