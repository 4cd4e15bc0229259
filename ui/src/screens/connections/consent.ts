import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, got } from '../../api/client';
import { type Connection, connectionQuery } from './data';

export type Tab = Window;

/**
 * A tab for Microsoft, which refuses frames. It is opened in the very click, because a
 * browser opens none after a wait, and can't reach back to this page.
 */
export function openTab(): Tab | undefined {
  const tab = window.open('about:blank', '_blank');
  if (!tab) return undefined;
  tab.opener = null;
  return tab;
}

const channel = 'trueup-consent';
interface Word {
  connection: number;
  code?: string;
}

/** Tells the page that waits what came back, and whether there is one that heard it. */
export function tell(word: Word, heard: () => void): () => void {
  const to = new BroadcastChannel(channel);
  to.onmessage = (e: MessageEvent<Word | 'heard'>) => e.data === 'heard' && heard();
  to.postMessage(word);
  return () => to.close();
}

/** When somebody last signed in, and when it was last found to work or not. */
export const mark = (c: Connection) => ({ signedIn: c.secrets.find((s) => s.name === 'refreshToken')?.savedAt, checked: c.health.checked });
type Mark = ReturnType<typeof mark>;

/** Whether somebody came back: a sign-in is tested before it is over, a refusal is kept as what is broken. */
export const cameBack = (before: Mark, c: Connection) => mark(c).checked !== before.checked && (mark(c).signedIn !== before.signedIn || c.health.state === 'broken');

/** How the sign-in at Microsoft goes on: it waits, or is over, refused with a code or not. */
export interface Waiting {
  connection: number;
  location?: string;
  over: boolean;
  code?: string;
}

/**
 * The sign-in of a partner's admin, in another tab. This page hears from that tab when it
 * comes back, and asks now and then, for when it doesn't.
 */
export function useConsent(returnTo: 'setup' | 'connections') {
  const queries = useQueryClient();
  const [before, setBefore] = useState<Mark>();
  const [is, setIs] = useState<Waiting>();
  const begin = useMutation({
    mutationFn: async ({ id, tab }: { id: number; tab?: Tab }) => {
      try {
        const now = await queries.fetchQuery(connectionQuery(id));
        setBefore(mark(now));
        const at = await got(api.POST('/connections/{connection}/consent', { params: { path: { connection: id } }, body: { returnTo } }));
        if (!/^https?:\/\//i.test(at.location)) throw new Error('the sign-in is nowhere');
        tab?.location.replace(at.location);
        setIs({ connection: id, location: at.location, over: false });
      } catch (error) {
        tab?.close();
        throw error;
      }
    },
  });
  const waits = is !== undefined && !is.over;
  const connection = is?.connection ?? 0;
  const asked = useQuery({ ...connectionQuery(connection), enabled: waits, refetchInterval: 2_000 });
  const moved = waits && before !== undefined && asked.data !== undefined && cameBack(before, asked.data);
  useEffect(() => {
    if (moved) setIs((w) => w && { ...w, over: true });
  }, [moved]);
  useEffect(() => {
    if (connection === 0) return;
    const from = new BroadcastChannel(channel);
    from.onmessage = (e: MessageEvent<Word | 'heard'>) => {
      if (typeof e.data !== 'object' || e.data.connection !== connection) return;
      from.postMessage('heard');
      const { code } = e.data;
      setIs((w) => w && { ...w, over: true, code });
    };
    return () => from.close();
  }, [connection]);
  const over = is?.over;
  useEffect(() => {
    if (over) for (const key of ['connections', 'setup', 'overview', 'matches']) void queries.invalidateQueries({ queryKey: [key] });
  }, [over, queries]);
  return { is, waits, begin, stop: () => setIs(undefined) };
}
