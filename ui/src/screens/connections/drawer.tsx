import { Button, Drawer, Modal, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got } from '../../api/client';
import { many } from '../../format';
import { FaultNote, Loaded } from '../../parts/fault';
import type { Tab } from './consent';
import { type Connection, connectionQuery, kindWords, type Saved } from './data';
import { Found, Secrets } from './evidence';
import { ManageForm } from './manageform';
import { MicrosoftForm } from './microsoftform';

interface Edit {
  /** The connection that is changed; undefined for a new one, of Microsoft or ConnectWise. */
  id?: number;
  fresh?: 'manage' | 'microsoft';
  onClose: () => void;
  onSignIn: (saved: Saved, tab?: Tab) => void;
}

/** Adds a connection or changes one, its secrets too. What was saved shows what the test found. */
export default function ConnectionDrawer({ id, fresh, onClose, onSignIn }: Edit) {
  const query = useQuery({ ...connectionQuery(id ?? 0), enabled: id !== undefined });
  const [saved, setSaved] = useState<Saved>();
  const title = id === undefined ? (fresh === 'manage' ? 'Connect ConnectWise' : 'Add a Microsoft connection') : (query.data?.name ?? 'Connection');
  const after = (is: Saved, tab?: Tab) => {
    if (tab) {
      onSignIn(is, tab);
      onClose();
    } else setSaved(is);
  };
  const form = (c?: Connection) =>
    (c?.kind ?? fresh) === 'manage' ? (
      <ManageForm connection={c} save="Test and save" onSaved={after}>
        <Button onClick={onClose}>Cancel</Button>
      </ManageForm>
    ) : (
      <MicrosoftForm connection={c} save="Test and save" onSaved={after}>
        <Button onClick={onClose}>Cancel</Button>
      </MicrosoftForm>
    );
  return (
    <Drawer opened onClose={onClose} title={title} size={620}>
      {saved ? (
        <div className="stack loose">
          <div className="note ok" role="status">
            <div>Saved. Customers that use it are synced next.</div>
          </div>
          <Found test={saved.test} subject={kindWords[saved.connection.kind]} />
          <div>
            <Button variant="filled" onClick={onClose} autoFocus>
              Done
            </Button>
          </div>
        </div>
      ) : id === undefined ? (
        form()
      ) : (
        <Loaded query={query} what="The connection" rows={5}>
          {(c) => (
            <div className="stack loose">
              {c.secrets.some((s) => s.set) && (
                <div className="stack tight">
                  <Secrets secrets={c.secrets} />
                  <div className="small quiet">Secrets are never shown again. Leave a field empty to keep what is there.</div>
                </div>
              )}
              {form(c)}
            </div>
          )}
        </Loaded>
      )}
    </Drawer>
  );
}

/** Takes a connection away that no customer uses. */
export function Remove({ connection: c, onClose }: { connection: Connection; onClose: () => void }) {
  const queries = useQueryClient();
  const [typed, setTyped] = useState('');
  const remove = useMutation({
    mutationFn: () => got(api.DELETE('/connections/{connection}', { params: { path: { connection: c.id } } })),
    onSuccess: async () => {
      onClose();
      await Promise.all(['connections', 'setup', 'overview'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
    },
  });
  return (
    <Modal opened onClose={onClose} title="Remove this connection?">
      <form
        className="stack"
        onSubmit={(e) => {
          e.preventDefault();
          if (typed === c.name) remove.mutate();
        }}
      >
        {c.customers > 0 ? (
          <p>{many(c.customers, 'customer')} use it. Give them another connection first.</p>
        ) : (
          <>
            <p>
              Its secrets are deleted. Type <b>{c.name}</b> to remove it.
            </p>
            <TextInput aria-label="Name of the connection" value={typed} onChange={(e) => setTyped(e.currentTarget.value)} data-autofocus />
          </>
        )}
        {remove.error && <FaultNote error={remove.error} />}
        <div className="row end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="filled" disabled={typed !== c.name || c.customers > 0} loading={remove.isPending}>
            Remove
          </Button>
        </div>
      </form>
    </Modal>
  );
}
