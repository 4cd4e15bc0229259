import { Menu, useMantineColorScheme } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { api, forget, got } from '../api/client';
import { type Session, sessionQuery } from '../api/session';
import { roleNames } from '../parts/roles';
import { Text } from '../parts/show';
import { hasScreen } from '../screens';

const Account = lazy(() => import('./account'));
const schemes = { light: 'Light', dark: 'Dark', auto: 'As the system' } as const;

/** "Hello <name>": one's own things, the workspaces, and the way out. */
export function Profile({ session }: { session: Session }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [account, setAccount] = useState<'password' | 'mfa' | 'sessions' | undefined>();

  // Nothing of one workspace, or person, may be seen in another.
  const anew = async (to?: Session) => {
    forget();
    queries.removeQueries({ predicate: (q) => q.queryKey[0] !== 'session' });
    if (to) queries.setQueryData(sessionQuery.queryKey, to);
    else await queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
  };
  const change = useMutation({
    mutationFn: (workspace: number) => got(api.PUT('/session/workspace', { body: { workspace } })),
    onSuccess: async (to) => {
      await anew(to);
      await navigate({ to: '/' });
    },
  });
  const leave = useMutation({ mutationFn: () => got(api.DELETE('/session')), onSettled: () => anew() });

  const others = session.workspaces.filter((w) => w.id !== session.workspace?.id);
  return (
    <>
      <Menu position="top-start" width={220} shadow="md" withinPortal={false} floatingStrategy="fixed" withInitialFocusPlaceholder={false}>
        <Menu.Target>
          <button type="button" className="plain who">
            <span className="clip">
              Hello <Text>{session.user?.name}</Text>
            </span>
            <span className="small clip">
              <Text>{session.workspace?.name}</Text>
              {session.workspace && `, ${roleNames[session.workspace.role]}`}
            </span>
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setAccount('password')}>Name and password</Menu.Item>
          <Menu.Item onClick={() => setAccount('mfa')}>Authenticator</Menu.Item>
          <Menu.Item onClick={() => setAccount('sessions')}>Where you are signed in</Menu.Item>
          {hasScreen('/notifications') && <Menu.Item onClick={() => void navigate({ to: '/notifications' })}>Notification preferences</Menu.Item>}
          {others.length > 0 && <Menu.Label role="presentation">Workspaces</Menu.Label>}
          {others.map((w) => (
            <Menu.Item key={w.id} onClick={() => change.mutate(w.id)}>
              <Text>{w.name}</Text>
            </Menu.Item>
          ))}
          <Menu.Label role="presentation">Colors</Menu.Label>
          {(['light', 'dark', 'auto'] as const).map((scheme) => (
            <Menu.Item key={scheme} closeMenuOnClick={false} onClick={() => setColorScheme(scheme)} rightSection={colorScheme === scheme ? '✓' : undefined}>
              {schemes[scheme]}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={() => leave.mutate()}>Sign out</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {account && (
        <Suspense>
          <Account begin={account} onClose={() => setAccount(undefined)} />
        </Suspense>
      )}
    </>
  );
}
