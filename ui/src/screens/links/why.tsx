import { TextInput } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, got } from '../../api/client';
import { useZone } from '../../api/session';
import { dayOf, day as inWords, many, money, quantity } from '../../format';
import { FaultNote, Loaded, State } from '../../parts/fault';
import { Outward, Text, Time } from '../../parts/show';
import type { License } from './data';

function useDay() {
  const zone = useZone();
  const [chosen, setChosen] = useState<string>();
  return [chosen ?? dayOf(new Date(), zone), setChosen] as const;
}

/** "Why 47?": the steps from what Microsoft answered to the quantity, on any day. */
export function Why({ license }: { license: License }) {
  const link = license.link?.key ?? '';
  const [day, setDay] = useDay();
  const why = useQuery({
    queryKey: ['why', link, day],
    queryFn: () => got(api.GET('/links/{link}/explanation', { params: { path: { link }, query: { day } } })),
    enabled: Boolean(link),
    placeholderData: keepPreviousData,
  });
  if (!link) return <State title="It is not linked">There is no quantity to explain before it is linked.</State>;
  return (
    <div className="stack">
      <TextInput type="date" label="On" value={day} onChange={(e) => e.currentTarget.value && setDay(e.currentTarget.value)} w={160} />
      <Loaded query={why} what="The explanation" rows={5}>
        {(e) => (
          <>
            <h3>
              {e.seats} billed on {inWords(e.day)}
            </h3>
            <ol className="stack tight" style={{ paddingLeft: 20 }}>
              {e.steps.map((s, i) => (
                <li key={i}>
                  <Text>{s.text}</Text>
                </li>
              ))}
            </ol>
            {e.readAt && (
              <p className="quiet">
                Read from Microsoft <Time at={e.readAt} full />.
              </p>
            )}
            {e.lines.length > 0 && (
              <table className="lines">
                <thead>
                  <tr>
                    <th scope="col">Line in ConnectWise</th>
                    <th scope="col">From</th>
                    <th scope="col" className="num">
                      Quantity
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {e.lines.map((l) => (
                    <tr key={l.serial}>
                      <td>
                        <Outward to={l.url}>
                          <Text>{l.product}</Text>
                          {l.id ? ` #${l.id}` : ''}
                        </Outward>
                        <div className="small quiet">{l.serial}</div>
                      </td>
                      <td>
                        {inWords(l.effective)}
                        {l.cancelled && ` to ${inWords(l.cancelled)}`}
                      </td>
                      <td className="num">
                        {quantity(l.quantity)}
                        {l.unitPrice && <span className="quiet"> × {money(l.unitPrice, license.monthly?.currency ?? '')}</span>}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </>
        )}
      </Loaded>
      {why.error && why.data && <FaultNote error={why.error} />}
    </div>
  );
}

/** "Who held it on 3 March": the users of a license on a day. */
export function Holders({ license }: { license: License }) {
  const [day, setDay] = useDay();
  const [text, setText] = useState('');
  const who = useQuery({
    queryKey: ['holders', license.id, day],
    queryFn: () => got(api.GET('/licenses/{license}/holders', { params: { path: { license: license.id }, query: { day } } })),
    placeholderData: keepPreviousData,
  });
  return (
    <div className="stack">
      <div className="row">
        <TextInput type="date" label="On" value={day} onChange={(e) => e.currentTarget.value && setDay(e.currentTarget.value)} w={160} />
        <TextInput label="Find" value={text} onChange={(e) => setText(e.currentTarget.value)} />
      </div>
      <Loaded query={who} what="The users" rows={5}>
        {(h) => {
          if (!h.known) return <State title={`Not known for ${inWords(h.day)}`}>Trueup had not read this tenant yet on that day.</State>;
          const shown = h.holders.filter((u) => `${u.name} ${u.upn}`.toLowerCase().includes(text.toLowerCase()));
          return (
            <>
              <p className="quiet">
                {many(h.holders.length, 'user')} held it on {inWords(h.day)}.
              </p>
              <table className="lines">
                <tbody>
                  {shown.map((u) => (
                    <tr key={u.id}>
                      <td>
                        <Text>{u.name}</Text>
                        <div className="small quiet">
                          <Text>{u.upn}</Text>
                          {!u.enabled && ', sign-in blocked'}
                        </div>
                      </td>
                      <td className="num quiet">
                        {u.from && `since ${inWords(u.from)}`}
                        {u.to && ` to ${inWords(u.to)}`}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </>
          );
        }}
      </Loaded>
    </div>
  );
}
