import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Schemas } from '../api/client';
import { many } from '../format';
import { Text } from './show';

type Check = Schemas['Check'];

/** Copies a text, and says that it did. */
export function Copy({ text, children }: { text: string; children: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <Button
      onClick={() => {
        void navigator.clipboard.writeText(text).then(() => setCopied(true));
      }}
    >
      {copied ? 'Copied' : children}
    </Button>
  );
}

/** What somebody with the rights is asked to do, to paste into a mail. */
export const errand = (checks: Check[], subject: string) =>
  [`Trueup needs this from you, for ${subject}:`, '', ...checks.map((c) => `- ${c.name}: ${[c.text, c.action].filter(Boolean).join(' ')}`)].join('\n');

const marks = { good: '✓', bad: '✗', advised: '!' } as const;

function Line({ check: c, said }: { check: Check; said?: string }) {
  const is = c.ok ? 'good' : c.needed ? 'bad' : 'advised';
  return (
    <li className={is}>
      <span aria-hidden="true">{marks[is]}</span>
      <div>
        <span className="unseen">{c.ok ? 'Fine: ' : c.needed ? 'Missing: ' : 'Advice: '}</span>
        <Text>{c.name}</Text>
        {(c.text || c.action) && c.text !== said && (
          <div className="small quiet">
            <Text>{[c.text, c.ok ? '' : c.action].filter(Boolean).join(' ')}</Text>
          </div>
        )}
      </div>
    </li>
  );
}

/**
 * What a test tried, one line each: what is missing first, then what is fine. What is only
 * advised is folded away, so that it doesn't look like a fault. What was said above isn't
 * said again.
 */
export function Checks({ checks, subject, said }: { checks: Check[]; subject: string; said?: string }) {
  const bad = checks.filter((c) => c.needed && !c.ok);
  const advised = checks.filter((c) => !c.needed && !c.ok);
  const good = checks.filter((c) => c.ok);
  const list = (all: Check[]) => (
    <ul className="checks">
      {all.map((c, i) => (
        <Line key={`${c.code}${c.name}${i}`} check={c} said={said} />
      ))}
    </ul>
  );
  return (
    <div className="stack">
      {bad.length > 0 && (
        <>
          {list(bad)}
          <div>
            <Copy text={errand(bad, subject)}>Copy for my admin</Copy>
          </div>
        </>
      )}
      {good.length > 0 && list(good)}
      {advised.length > 0 && (
        <details>
          <summary className="quiet">{many(advised.length, 'piece', 'pieces')} of advice</summary>
          {list(advised)}
        </details>
      )}
    </div>
  );
}
