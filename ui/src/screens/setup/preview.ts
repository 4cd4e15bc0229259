import { useEffect, useRef, useState } from 'react';
import { ApiError, api, got, type Schemas } from '../../api/client';
import { grouped, pieces } from './data';

type Item = Schemas['BulkLink'];
export interface Seen {
  preview?: Schemas['LinkPreview'];
  /** Why there is none. */
  problem?: string;
}

const together = 6; // customers that are previewed with one request

const said = (p: { text?: string; action?: string }) => [p.text, p.action].filter(Boolean).join(' ');

/**
 * What links would lead to, some customers at a time: each is read at Microsoft and in
 * ConnectWise for it. A customer is looked at again when one of its links changed.
 */
export function usePreviews(items: (Item & { customer: number })[]) {
  const [seen, setSeen] = useState<Map<string, Seen>>(new Map());
  const asked = useRef(new Map<number, string>());
  const [turn, setTurn] = useState(0);
  const busy = useRef(false);

  const customers = grouped(items, (i) => i.customer);
  const wanted = [...customers].map(([customer, of]) => ({ customer, of: of.map(({ license, link }) => ({ license, link })), key: JSON.stringify(of) }));
  const open = wanted.filter((w) => asked.current.get(w.customer) !== w.key);
  const todo = open.map((w) => w.key).join();

  useEffect(() => {
    const some = pieces(open, together)[0];
    if (!some || busy.current) return;
    busy.current = true;
    for (const w of some) asked.current.set(w.customer, w.key);
    const body = { items: some.flatMap((w) => w.of) };
    void got(api.POST('/links/bulk/preview', { body }))
      .then(
        (r) => r.items.map((i): [string, Seen] => [i.license, { preview: i.preview, problem: i.problem && said(i.problem) }]),
        (error: unknown) => {
          const problem = error instanceof ApiError ? `${error.detail} ${error.action}` : 'It could not be previewed.';
          return body.items.map((i): [string, Seen] => [i.license, { problem }]);
        },
      )
      .then((found) => {
        busy.current = false;
        setSeen((before) => new Map([...before, ...found]));
        setTurn((n) => n + 1);
      });
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- what is open is all in its keys
  }, [todo, turn]);
  return { seen, left: open.length };
}
