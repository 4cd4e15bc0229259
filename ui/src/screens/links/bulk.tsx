import { Button, Drawer, Select, TextInput } from '@mantine/core';
import { useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, got, type Schemas } from '../../api/client';
import { many, monthly } from '../../format';
import { FaultNote } from '../../parts/fault';
import { Text } from '../../parts/show';
import { agreementsQuery, fitting, type License, type LinkInput, profilesQuery } from './data';

type Item = Schemas['BulkLink'];

/** Links many licenses to one profile, each on its customer's agreement; or bills none of them. */
export default function Bulk({ kind, licenses, onClose, onSaved }: { kind: 'link' | 'doNotBill'; licenses: License[]; onClose: () => void; onSaved: () => void }) {
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const [profileId, setProfile] = useState<number>();
  const [places, setPlaces] = useState<Record<string, number>>({});
  const profiles = useQuery(profilesQuery);
  const profile = profiles.data?.items.find((p) => p.id === profileId);
  const companies = useMemo(() => [...new Set(licenses.map((l) => l.customer.company))], [licenses]);
  const agreements = useQueries({ queries: kind === 'link' && profile ? companies.map((c) => agreementsQuery(c)) : [] });
  const byCompany = new Map(companies.map((c, i) => [c, agreements[i]?.data?.items]));

  const rows = licenses.map((license) => {
    const usable = fitting(byCompany.get(license.customer.company) ?? [], profile);
    return { license, usable, agreement: places[license.id] ?? (usable.length === 1 ? usable[0]?.id : undefined) };
  });
  const items: Item[] = rows.flatMap(({ license, agreement }) => {
    const link: LinkInput | undefined = kind === 'doNotBill' ? (reason.trim() ? { doNotBill: reason.trim() } : undefined) : profile && agreement ? { profile: profile.id, agreement } : undefined;
    return link ? [{ license: license.id, link }] : [];
  });
  const preview = useMutation({ mutationFn: () => got(api.POST('/links/bulk/preview', { body: { items } })) });
  const save = useMutation({
    mutationFn: () => got(api.POST('/links/bulk', { body: { items } })),
    onSuccess: async (saved) => {
      await queries.invalidateQueries({ queryKey: ['licenses'] });
      if (saved.failed === 0) onSaved();
    },
  });
  const faults = new Map(
    [...(preview.data?.items.map((i) => [i.license, i.problem] as const) ?? []), ...(save.data?.results.map((r) => [items[r.index]?.license, r.ok ? undefined : r] as const) ?? [])].flatMap(
      ([license, r]) => (license && r && !r.ok ? [[license, r] as const] : []),
    ),
  );

  return (
    <Drawer opened onClose={onClose} title={kind === 'link' ? `Link ${many(licenses.length, 'license')}` : `Do not bill ${many(licenses.length, 'license')}`} size={640}>
      <form
        className="stack loose"
        onSubmit={(e) => {
          e.preventDefault();
          if (preview.data) save.mutate();
          else preview.mutate();
        }}
      >
        {kind === 'doNotBill' ? (
          <TextInput label="Reason" required maxLength={1000} value={reason} onChange={(e) => (setReason(e.currentTarget.value), preview.reset())} data-autofocus />
        ) : (
          <Select
            label="Billing profile"
            placeholder="Choose one"
            required
            searchable
            data={(profiles.data?.items ?? []).filter((p) => !p.retired).map((p) => ({ value: String(p.id), label: p.name }))}
            value={profileId ? String(profileId) : null}
            onChange={(v) => (setProfile(Number(v)), setPlaces({}), preview.reset())}
          />
        )}
        {(kind === 'doNotBill' || profile) && (
          <table className="lines">
            <thead>
              <tr>
                <th scope="col">License</th>
                <th scope="col">{kind === 'link' ? 'Agreement' : 'Now'}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ license: l, usable, agreement }) => {
                const fault = faults.get(l.id);
                return (
                  <tr key={l.id}>
                    <td>
                      <Text>{l.name}</Text>
                      <div className="small quiet">
                        <Text>{l.customer.name}</Text>
                      </div>
                      {fault && (
                        <div className="small" style={{ color: 'var(--bad)' }}>
                          {fault.text} {fault.action}
                        </div>
                      )}
                    </td>
                    <td style={{ width: 250 }}>
                      {kind === 'doNotBill' ? (
                        <Text>{l.link?.profile?.name ?? l.link?.doNotBill ?? 'Not linked'}</Text>
                      ) : byCompany.get(l.customer.company) === undefined ? (
                        <span className="quiet">Loading</span>
                      ) : usable.length === 0 ? (
                        <span className="quiet">No active agreement fits. It is left out.</span>
                      ) : (
                        <Select
                          aria-label={`Agreement for ${l.name}, ${l.customer.name}`}
                          placeholder="Choose one"
                          data={usable.map((a) => ({ value: String(a.id), label: a.name }))}
                          value={agreement ? String(agreement) : null}
                          onChange={(v) => (setPlaces({ ...places, [l.id]: Number(v) }), preview.reset())}
                        />
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
        {preview.data && (
          <div className="note info" role="status">
            <div>
              {many(items.length, 'link')}: <b>{monthly(preview.data.money)}</b> per month.
              {preview.data.needApproval > 0 && ` ${many(preview.data.needApproval, 'change')} will wait for an approval.`} Saved links start at the next sync.
            </div>
          </div>
        )}
        {save.data && save.data.failed > 0 && (
          <div className="note warn" role="status">
            <div>
              {save.data.done} saved, {save.data.failed} not. Those that were not say why.
            </div>
          </div>
        )}
        {(preview.error ?? save.error) && <FaultNote error={preview.error ?? save.error} />}
        <div className="row">
          <Button type="submit" variant="filled" disabled={items.length === 0} loading={preview.isPending || save.isPending}>
            {preview.data ? `Save ${many(items.length, 'link')}` : 'Preview'}
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Drawer>
  );
}
