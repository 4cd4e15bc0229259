import { EventSourceParserStream } from 'eventsource-parser/stream';
import { useEffect, useRef, useState } from 'react';
import type { SyncState } from './model';
import type { Pod } from './pod';
import { busy } from './rows';

const pause = 2000; // ms between questions while there is no stream
const rarely = 30_000; // ms between looks at the view while nothing runs

/** Hears the events of the record until it is stopped; false when the stream broke or never came. */
async function listen(pod: Pod, signal: AbortSignal, on: (s: SyncState) => void, changed: () => void) {
  try {
    const response = await pod.send('GET', '/embed/events', undefined, { Accept: 'text/event-stream' }, signal);
    if (!response.ok || !response.body) return;
    const reader = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (next.value.event === 'sync') on(JSON.parse(next.value.data) as SyncState);
      else if (next.value.event === 'changed') changed();
    }
  } catch {
    // Stopped, or cut: asking goes on.
  }
}

/**
 * How the customer of the record stands in the work. A stream is open only while a sync
 * runs: a browser has few connections and a person many windows. Where it breaks, the
 * server is asked every two seconds. ended is called once a sync is over.
 */
export function useSync(pod: Pod, seen: SyncState | undefined, ended: () => void) {
  const [sync, setSync] = useState(seen);
  // A view may be older than what was begun meanwhile: only the work itself says that it is over.
  useEffect(() => setSync((now) => (busy(now) && !busy(seen) ? now : seen)), [seen]);
  const after = useRef(ended);
  after.current = ended;
  const runs = busy(sync);
  useEffect(() => {
    if (!runs) return undefined;
    const stop = new AbortController();
    const on = (s: SyncState) => {
      if (busy(s)) return setSync(s);
      stop.abort();
      setSync(s);
      after.current();
    };
    const look = () => void pod.read().catch(() => {});
    void (async () => {
      while (!stop.signal.aborted) {
        await listen(pod, stop.signal, on, look);
        if (stop.signal.aborted) return;
        await new Promise((r) => setTimeout(r, pause));
        if (stop.signal.aborted) return;
        await pod.ask<SyncState>('GET', '/embed/sync').then(on, () => {}); // asked again
      }
    })();
    return () => stop.abort();
  }, [pod, runs]);
  return [sync, setSync] as const;
}

/** Looks at the view again when the window is looked at again, and now and then. */
export function useFresh(pod: Pod) {
  useEffect(() => {
    let last = Date.now();
    const look = () => {
      if (document.hidden || Date.now() - last < rarely / 2) return;
      last = Date.now();
      void pod.read().catch(() => {});
    };
    const timer = setInterval(look, rarely);
    addEventListener('focus', look);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      removeEventListener('focus', look);
      document.removeEventListener('visibilitychange', look);
    };
  }, [pod]);
}
