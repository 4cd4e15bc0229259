import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

export type Search = Record<string, string>;

export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const kept = Object.entries(search).filter(([, v]) => v !== undefined && v !== null && v !== '');
  const text = new URLSearchParams(kept.map(([k, v]) => [k, String(v)])).toString();
  return text ? `?${text}` : '';
}

/** The filters of a screen, which live in the address: a link opens what was seen. */
export function useFilters(): [Search, (change: Record<string, string | undefined>) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const set = useCallback(
    (change: Record<string, string | undefined>) =>
      void navigate({ to: '.', search: ((before: Search) => ({ ...before, ...change })) as never, replace: true }),
    [navigate],
  );
  return [search, set];
}

/** One of the words that a filter takes, or undefined: addresses are typed by people. */
export const oneOf = <T extends string>(word: string | undefined, words: readonly T[]): T | undefined => words.find((w) => w === word);

/** A whole number, or undefined. */
export const whole = (text: string | undefined) => (text && /^\d{1,9}$/.test(text) ? Number(text) : undefined);
