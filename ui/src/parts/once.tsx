import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';

/** Something that is shown this once: a link or a secret, to be copied now. */
export function Once({ what, children }: { what: string; children: string }) {
  const [state, setState] = useState<'shown' | 'copied' | 'refused'>('shown');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(children);
      setState('copied');
    } catch {
      setState('refused'); // a browser may forbid it, or not have it without https
    }
  };
  return (
    <div className="stack">
      <div className="key" data-once role="group" aria-label={what}>
        {children}
      </div>
      <div className="row">
        <Button onClick={() => void copy()}>{state === 'copied' ? 'Copied' : 'Copy'}</Button>
        <span className="quiet" role="status">
          {state === 'refused' && 'Your browser did not copy it. Select it and copy it by hand.'}
        </span>
      </div>
    </div>
  );
}

/** A line of words that stands for a switch: on and off are told apart without color. */
export function Note({ tone = 'info', children }: { tone?: 'info' | 'ok' | 'warn' | 'bad'; children: ReactNode }) {
  return (
    <div className={`note ${tone}`} role="status">
      <div>{children}</div>
    </div>
  );
}
