import { Button, Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useMe } from '../../api/session';
import { many } from '../../format';
import { Bones, FaultState, State } from '../../parts/fault';
import { type Column, DataGrid } from '../../parts/grid';
import { roleChoice, roleNames } from '../../parts/roles';
import { oneOf, useFilters, whole } from '../../parts/search';
import { Status, Text, Time } from '../../parts/show';
import { like, type User, usersQuery } from './data';
import { Invite } from './invite';
import { UserDrawer } from './user';

const columns = (me?: number): Column<User>[] => [
  {
    id: 'name',
    title: 'User',
    width: 180,
    share: 3,
    cell: (u) => (
      <>
        <div className="name">
          <Text>{u.name}</Text>
          {u.id === me && <span className="quiet"> (you)</span>}
        </div>
        <div className="second">
          <Text>{u.email}</Text>
        </div>
      </>
    ),
  },
  { id: 'role', title: 'Role', width: 96, share: 1, cell: (u) => roleNames[u.role] },
  { id: 'mfa', title: 'Authenticator', width: 104, from: 'medium', cell: (u) => <Status tone={u.mfa ? 'ok' : 'warn'}>{u.mfa ? 'Set up' : 'None'}</Status> },
  {
    id: 'member',
    title: 'ConnectWise member',
    width: 130,
    share: 1,
    from: 'wide',
    cell: (u) => <div className={u.member ? undefined : 'quiet'}>{u.member ? <Text>{u.member}</Text> : '—'}</div>,
  },
  { id: 'seen', title: 'Last seen', width: 106, from: 'medium', cell: (u) => (u.lastSeen ? <Time at={u.lastSeen} /> : <span className="quiet">Never</span>) },
  { id: 'state', title: 'State', width: 104, from: 'narrow', cell: (u) => <Standing of={u} /> },
];

/** Whether somebody may work now. */
export function Standing({ of: u }: { of: User }) {
  if (u.disabled) return <Status tone="none">Switched off</Status>;
  if (u.locked) return <Status tone="warn">Locked</Status>;
  return <Status tone="ok">Works</Status>;
}

/** The users of the workspace, and one of them in a drawer. */
export function People() {
  const { user } = useMe();
  const [search, set] = useFilters();
  const [inviting, setInviting] = useState(false);
  const users = useQuery(usersQuery);
  const role = oneOf(search.role, ['viewer', 'technician', 'billing', 'admin'] as const);
  const rows = useMemo(() => like(users.data?.items ?? [], search.q ?? '', role), [users.data, search.q, role]);
  const shown = useMemo(() => columns(user?.id), [user?.id]);
  const typed = useDebouncedCallback((q: string) => set({ q: q || undefined }), 150);
  const open = whole(search.user);
  const clear = () => set({ q: undefined, role: undefined });
  return (
    <>
      <search className="filters" style={{ paddingTop: 12 }}>
        <TextInput key={search.q === undefined ? 'empty' : 'typed'} data-filter aria-label="User" placeholder="Name, e-mail or member" defaultValue={search.q ?? ''} onChange={(e) => typed(e.currentTarget.value)} w={220} />
        <Select aria-label="Role" placeholder="Any role" clearable data={roleChoice} value={role ?? null} onChange={(v) => set({ role: v ?? undefined })} w={140} />
        <span className="grow" />
        <span className="quiet" role="status">
          {users.data && many(rows.length, 'user')}
        </span>
        <Button onClick={() => setInviting(true)}>Invite…</Button>
      </search>
      {users.isPending ? (
        <Bones />
      ) : users.error ? (
        <FaultState what="The users" error={users.error} onRetry={() => void users.refetch()} />
      ) : rows.length === 0 ? (
        <State title="Nobody is like that" action={<Button onClick={clear}>Clear filters</Button>}>
          No user fits these filters.
        </State>
      ) : (
        <DataGrid label="Users" rows={rows} columns={shown} id={(u) => String(u.id)} onOpen={(u) => set({ user: String(u.id) })} />
      )}
      {open !== undefined && <UserDrawer key={open} id={open} onClose={() => set({ user: undefined })} />}
      {inviting && <Invite onClose={() => setInviting(false)} />}
    </>
  );
}
