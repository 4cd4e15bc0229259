import './tabs.css';
import type { KeyboardEvent, ReactNode } from 'react';

interface Props<T extends string> {
  label: string;
  /** By the name in the address, the words on the tab. */
  names: Record<T, ReactNode>;
  at: T;
  onGo: (to: T) => void;
  children: ReactNode;
}

/** The parts of a screen, one at a time; the arrow keys go from one to the next. */
export function Tabs<T extends string>({ label, names, at, onGo, children }: Props<T>) {
  const all = Object.keys(names) as T[];
  const move = (e: KeyboardEvent) => {
    const by = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    const to = all[(all.indexOf(at) + by + all.length) % all.length];
    if (!by || !to) return;
    onGo(to);
    document.getElementById(`tab-${to}`)?.focus();
  };
  return (
    <>
      <div className="tabs" role="tablist" aria-label={label}>
        {all.map((t) => (
          <button key={t} id={`tab-${t}`} type="button" role="tab" aria-selected={at === t} aria-controls="panel" tabIndex={at === t ? 0 : -1} onClick={() => onGo(t)} onKeyDown={move}>
            {names[t]}
          </button>
        ))}
      </div>
      <div className="panel" id="panel" role="tabpanel" aria-labelledby={`tab-${at}`}>
        {children}
      </div>
    </>
  );
}
