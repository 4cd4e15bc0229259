import { useQuery, useQueryClient } from '@tanstack/react-query';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { useEffect, useState } from 'react';
import { api, got, type Schemas } from './client';

export type Progress = Schemas['Progress'];
const key = ['sync'];

/** Whether anything runs or waits to. */
export const busy = (p: Progress | undefined) => Boolean(p && p.running + p.due > 0);

/**
 * How far the work is. A stream is open only while something runs: a browser has few
 * connections, and a person many windows. While there is none, it is asked now and then;
 * when one breaks, every two seconds until the next.
 */
export function useProgress() {
  const queries = useQueryClient();
  const [streams, setStreams] = useState(false);
  const progress = useQuery({
    queryKey: key,
    queryFn: () => got(api.GET('/sync')),
    refetchInterval: (q) => (streams ? false : busy(q.state.data) ? 2_000 : 15_000),
    staleTime: 0,
  });
  const runs = busy(progress.data);
  useEffect(() => {
    if (!runs) return;
    const stop = new AbortController();
    void listen(stop.signal, (name, data) => {
      setStreams(true);
      if (name === 'progress') queries.setQueryData(key, data as Progress);
      else void queries.invalidateQueries({ queryKey: key });
      if (name === 'run' || name === 'changed') {
        for (const of of ['runs', 'customers', 'approvals', 'overview', 'licenses']) void queries.invalidateQueries({ queryKey: [of] });
      }
    }).then(() => setStreams(false));
    return () => {
      stop.abort();
      setStreams(false);
    };
  }, [runs, queries]);
  return progress;
}

/** Hears the events of the workspace until it is stopped or the stream ends. */
async function listen(signal: AbortSignal, on: (name: string, data: unknown) => void) {
  try {
    const response = await globalThis.fetch('/api/v1/events', { headers: { Accept: 'text/event-stream' }, signal });
    if (!response.ok || !response.body) return;
    const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    const reader = events.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) on(next.value.event ?? '', JSON.parse(next.value.data));
  } catch {
    // Stopped, or cut: asking goes on.
  }
}

export const stepWords: Record<NonNullable<Schemas['SyncState']['step']>, string> = {
  fetch: 'Reading',
  plan: 'Planning',
  write: 'Writing',
  finish: 'Finishing',
};
