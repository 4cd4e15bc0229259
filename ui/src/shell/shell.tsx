import { ActionIcon } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { api, got } from '../api/client';
import { atLeast, settingsQuery, useMe } from '../api/session';
import { count } from '../format';
import { Section } from '../parts/fault';
import { hasScreen, screens } from '../screens';
import { useKeys } from './keys';
import { Profile } from './profile';

/** What waits, beside the screens on which it is done. */
function useBadges() {
  const overview = useQuery({ queryKey: ['overview'], queryFn: () => got(api.GET('/overview')), refetchInterval: 60_000, retry: false });
  const unlinked = useQuery({
    queryKey: ['licenses', 'unlinked'],
    queryFn: () => got(api.GET('/licenses', { params: { query: { only: 'notLinked', limit: 1 } } })),
    enabled: hasScreen('/links'),
    refetchInterval: 60_000,
    retry: false,
  });
  const badges: Record<string, number | undefined> = { '/approvals': overview.data?.verdict.waiting, '/links': unlinked.data?.total };
  return { badges, setup: overview.data?.setup };
}

function Navigation({ open, onGo }: { open: boolean; onGo: () => void }) {
  const { role, session } = useMe();
  const { badges, setup } = useBadges();
  const mine = screens.filter((s) => s.nav && atLeast(role, s.least));
  const group = (name: 'daily' | 'settings') =>
    mine
      .filter((s) => s.nav?.group === name)
      .map((s) => (
        <Link key={s.path} to={s.path} activeOptions={{ exact: s.path === '/', includeSearch: false }} onClick={onGo}>
          {s.title}
          {Boolean(badges[s.path]) && <span className="badge">{count(badges[s.path] ?? 0)}</span>}
        </Link>
      ));
  const settings = group('settings');
  return (
    <nav aria-label="Main" data-open={open}>
      <div className="brand">Trueup</div>
      {group('daily')}
      {settings.length > 0 && <div className="group-name">Settings</div>}
      {settings}
      <div className="foot">
        {setup && atLeast(role, 'admin') && hasScreen('/setup') && (
          <Link to="/setup" onClick={onGo}>
            Set-up
            <span className="badge">
              {setup.done}/{setup.of}
            </span>
          </Link>
        )}
        <Profile session={session} />
      </div>
    </nav>
  );
}

/** The frame of all screens: navigation on the left, the screen beside it. */
export function Shell() {
  const [open, setOpen] = useState(false);
  const { pathname } = useLocation();
  const settings = useQuery(settingsQuery);
  const keys = useKeys();
  useEffect(() => setOpen(false), [pathname]);
  useHotkeys([['Escape', () => setOpen(false)]]);
  return (
    <div className="shell">
      <a className="skip" href="#screen">
        Skip to the screen
      </a>
      <header className="topbar">
        Trueup
        <ActionIcon variant="default" size={36} aria-label="Navigation" aria-expanded={open} onClick={() => setOpen(!open)}>
          <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
            <path d="M2 4h12M2 8h12M2 12h12" stroke="currentColor" strokeWidth="1.5" />
          </svg>
        </ActionIcon>
      </header>
      <Navigation open={open} onGo={() => setOpen(false)} />
      <main id="screen" tabIndex={-1}>
        {settings.data?.settings.mode === 'observe' && (
          <div className="observing">Observe only: Trueup reads and plans, and writes nothing to ConnectWise.</div>
        )}
        <Section key={pathname} what="This screen">
          <Outlet />
        </Section>
      </main>
      {keys}
    </div>
  );
}
