import { useHotkeys } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useMe } from '../api/session';
import { screens } from '../screens';

const KeyHelp = lazy(() => import('./keyhelp'));

const typing = (e: KeyboardEvent) =>
  e.ctrlKey || e.metaKey || e.altKey || (e.target instanceof HTMLElement && Boolean(e.target.closest('input,textarea,select,[contenteditable],[role=dialog]')));

/** Keys that work on every screen: g and a letter goes there, / filters, ? lists them. */
export function useKeys() {
  const navigate = useNavigate();
  const { may } = useMe();
  const [help, setHelp] = useState(false);
  const going = useRef(false);
  const there = screens.filter((s) => s.nav && may(s.least));

  useEffect(() => {
    const on = (e: KeyboardEvent) => {
      if (typing(e)) return;
      if (going.current) {
        going.current = false;
        const to = there.find((s) => s.nav?.key === e.key);
        if (to) {
          e.preventDefault();
          e.stopImmediatePropagation();
          void navigate({ to: to.path });
        }
        return;
      }
      going.current = e.key === 'g';
    };
    addEventListener('keydown', on, { capture: true });
    return () => removeEventListener('keydown', on, { capture: true });
  });

  useHotkeys([
    ['/', () => document.querySelector<HTMLInputElement>('[data-filter]')?.focus()],
    ['shift+?', () => setHelp(true)],
  ]);

  return help ? (
    <Suspense>
      <KeyHelp there={there} onClose={() => setHelp(false)} />
    </Suspense>
  ) : null;
}
