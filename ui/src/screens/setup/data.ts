import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef } from 'react';
import { api, got, type Schemas } from '../../api/client';

export type StepName = Schemas['SetupStepName'];

export const setupQuery = queryOptions({ queryKey: ['setup'], queryFn: () => got(api.GET('/setup')), staleTime: 5_000 });

/** What every step gets. */
export interface StepProps {
  setup: Schemas['Setup'];
  /** Goes on to the next step. */
  next: () => void;
}

export const stateOf = (setup: Schemas['Setup'], step: StepName) => setup.steps.find((s) => s.step === step)?.state ?? 'todo';

/** Reads anew how far set-up is, wherever it is shown. */
export function useMoved() {
  const queries = useQueryClient();
  return useCallback((...more: string[]) => Promise.all(['setup', 'overview', ...more].map((key) => queries.invalidateQueries({ queryKey: [key] }))), [queries]);
}

/** Reads anew what depends on the work, when the work ends while one looks. */
export function useEnded(works: boolean, ...what: string[]) {
  const moved = useMoved();
  const before = useRef(works);
  const keys = what.join();
  useEffect(() => {
    if (before.current && !works) void moved(...keys.split(','));
    before.current = works;
  }, [works, moved, keys]);
}

/** The list in pieces of at most so many. */
export function pieces<T>(all: T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, i) => all.slice(i * most, (i + 1) * most));
}

/** Puts what belongs together in one place, in the order in which it comes. */
export function grouped<T, K>(all: T[], by: (one: T) => K): Map<K, T[]> {
  const out = new Map<K, T[]>();
  for (const one of all) {
    const key = by(one);
    out.set(key, [...(out.get(key) ?? []), one]);
  }
  return out;
}
