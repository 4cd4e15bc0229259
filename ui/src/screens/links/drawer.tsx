import { Drawer, SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, got } from '../../api/client';
import { day, money } from '../../format';
import { Loaded } from '../../parts/fault';
import { oneOf } from '../../parts/search';
import { LicenseStatus, Text, Time } from '../../parts/show';
import type { License } from './data';
import { LinkForm } from './linkform';
import { Trend } from './trend';
import { Holders, Why } from './why';

const tabs = ['link', 'why', 'who', 'about'] as const;

/** A license: its link with a live preview, why it is billed as it is, who holds it. */
export default function LicenseDrawer({ license, tab, onTab, onClose }: { license: string; tab?: string; onTab: (tab: string) => void; onClose: () => void }) {
  const query = useQuery({ queryKey: ['license', license], queryFn: () => got(api.GET('/licenses/{license}', { params: { path: { license } } })) });
  const l = query.data;
  const at = oneOf(tab, tabs) ?? 'link';
  return (
    <Drawer
      opened
      onClose={onClose}
      size={620}
      title={
        <div>
          <Text>{l?.name ?? 'License'}</Text>
          {l && (
            <div className="quiet small">
              <Text>{l.customer.name}</Text>
            </div>
          )}
        </div>
      }
    >
      <Loaded query={query} what="The license" rows={6}>
        {(of) => (
          <div className="stack loose">
            <div className="between">
              <span>
                {of.assigned} of {of.purchased} assigned
              </span>
              <LicenseStatus state={of.state} />
            </div>
            <Trend license={of} />
            <SegmentedControl
              fullWidth
              aria-label="What to see"
              value={at}
              onChange={onTab}
              data={[
                { value: 'link', label: 'Link' },
                { value: 'why', label: `Why ${of.link?.profile ? of.billed : '0'}?` },
                { value: 'who', label: 'Who holds it' },
                { value: 'about', label: 'Subscriptions' },
              ]}
            />
            {at === 'link' && <LinkForm key={of.link?.version ?? 'new'} license={of} onSaved={onClose} />}
            {at === 'why' && <Why license={of} />}
            {at === 'who' && <Holders license={of} />}
            {at === 'about' && <About license={of} />}
          </div>
        )}
      </Loaded>
    </Drawer>
  );
}

function About({ license: l }: { license: License }) {
  return (
    <div className="stack loose">
      <dl className="facts">
        <dt>Part number</dt>
        <dd>
          <Text>{l.partNumber}</Text>
        </dd>
        <dt>Tenant</dt>
        <dd>{l.tenant}</dd>
        <dt>Unused</dt>
        <dd>
          {l.unused}
          {l.unusedMonthly && `, ${money(l.unusedMonthly.amount, l.unusedMonthly.currency)} per month`}
        </dd>
        {l.firstSeen && (
          <>
            <dt>Seen since</dt>
            <dd>{day(l.firstSeen)}</dd>
          </>
        )}
        {l.priceDiffers && (
          <>
            <dt>Catalog price</dt>
            <dd>
              {money(l.priceDiffers, l.monthly?.currency ?? '')}, the line has {money(l.unitPrice ?? '0', l.monthly?.currency ?? '')}
            </dd>
          </>
        )}
      </dl>
      {l.subscriptions.length === 0 ? (
        <p className="quiet">Microsoft lists no subscription of it.</p>
      ) : (
        <table className="lines">
          <thead>
            <tr>
              <th scope="col">Subscription</th>
              <th scope="col">Term</th>
              <th scope="col">Renews</th>
              <th scope="col" className="num">
                Seats
              </th>
            </tr>
          </thead>
          <tbody>
            {l.subscriptions.map((s) => (
              <tr key={s.id}>
                <td>
                  {s.id.slice(0, 8)}, <Text>{s.status}</Text>
                  {s.trial && ', trial'}
                </td>
                <td>
                  <Text>{s.term ?? '—'}</Text>
                  {s.termGuessed && <span className="quiet"> (guessed)</span>}
                </td>
                <td>{s.renewal ? <Time at={s.renewal} full /> : '—'}</td>
                <td className="num">{s.seats}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
