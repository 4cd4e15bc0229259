import { type ReactNode, useEffect, useRef } from 'react';

interface Frame {
  title: string;
  /** What the step is for, in one sentence. */
  why: ReactNode;
  /** What was found and what helps, beside the form. */
  side?: ReactNode;
  children: ReactNode;
}

/** A step: what it is for, its form, and beside it what was found. */
export function Frame({ title, why, side, children }: Frame) {
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement?.closest('.steps')) head.current?.focus();
  }, []);
  return (
    <div className="step">
      <section className="stack loose" aria-labelledby="step">
        <div className="stack tight">
          <h2 id="step" ref={head} tabIndex={-1}>
            {title}
          </h2>
          <p className="quiet">{why}</p>
        </div>
        {children}
      </section>
      {side && (
        <aside className="stack loose" aria-label="What was found">
          {side}
        </aside>
      )}
    </div>
  );
}
