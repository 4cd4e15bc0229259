import { useMutation } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, got } from '../api/client';
import { FaultNote, State } from '../parts/fault';

const dashboard = <a href="/">Open the dashboard</a>;

/**
 * Gives the frame that opened this window a one-time code, and closes. The code goes to
 * our own origin only, and is worth nothing without the nonce that the frame keeps.
 */
export default function FrameSignIn({ frame: { key, challenge } }: { frame: { key: string; challenge: string } }) {
  const { mutate, error, isSuccess } = useMutation({
    mutationFn: () => got(api.POST('/embed/{key}/code', { params: { path: { key } }, body: { challenge } })),
    onSuccess: ({ code }) => {
      (window.opener as Window | null)?.postMessage({ trueup: 'code', code }, location.origin);
      window.close();
    },
  });
  const opened = Boolean(window.opener);
  useEffect(() => {
    if (opened) mutate();
  }, [opened, mutate]);
  if (!opened) return <State title="This window belongs to a screen in ConnectWise" screen action={dashboard}>It was opened by itself, so there is nothing to sign in to.</State>;
  if (error) {
    return (
      <State title="You could not be let in" screen action={dashboard}>
        <FaultNote error={error} />
      </State>
    );
  }
  return (
    <State title={isSuccess ? 'You are signed in' : 'Signing you in'} screen>
      {isSuccess ? 'Close this window and go back to ConnectWise.' : 'A moment.'}
    </State>
  );
}
