import { Button, Switch } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { day, monthly } from '../../format';
import { Bones, FaultState } from '../../parts/fault';
import { Status, Text, Time } from '../../parts/show';
import { kindName, toldQuery } from './data';

/** What is so and was told, or will be by the next digest; newest first. */
export function Told() {
  const [ended, setEnded] = useState(false);
  const told = useInfiniteQuery(toldQuery(ended));
  const rows = told.data?.pages.flatMap((p) => p.items) ?? [];
  return (
    <section className="stack" aria-labelledby="told">
      <div className="between">
        <h2 id="told">What there is to tell</h2>
        <Switch label="Also what is over" checked={ended} onChange={(e) => setEnded(e.currentTarget.checked)} />
      </div>
      {told.isPending ? (
        <Bones rows={4} />
      ) : told.error && rows.length === 0 ? (
        <FaultState what="What there is to tell" error={told.error} onRetry={() => void told.refetch()} />
      ) : rows.length === 0 ? (
        <p className="quiet">{ended ? 'There was nothing to tell yet.' : 'There is nothing to tell now.'}</p>
      ) : (
        <table className="lines">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col">Since</th>
              <th scope="col">Told you</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((n) => (
              <tr key={n.id}>
                <td>
                  <div className="small quiet">
                    {kindName(n.kind)}
                    {n.customer && (
                      <>
                        , <Text>{n.customer.name}</Text>
                      </>
                    )}
                  </div>
                  <Text>{n.text}</Text>
                  <div className="small quiet">
                    {n.money && n.money.length > 0 && `${monthly(n.money)} per month. `}
                    {n.by && !n.ended && `Until ${day(n.by)}. `}
                    {!n.ended && <Text>{n.action}</Text>}
                  </div>
                </td>
                <td className="when">
                  <Time at={n.at} />
                  {n.ended && (
                    <div className="small quiet">
                      over <Time at={n.ended} />
                    </div>
                  )}
                </td>
                <td className="when">{n.sentAt ? <Time at={n.sentAt} /> : n.ended ? <span className="quiet">—</span> : <Status tone="held">Not yet</Status>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {told.hasNextPage && (
        <div>
          <Button onClick={() => void told.fetchNextPage()} loading={told.isFetchingNextPage}>
            Show more
          </Button>
        </div>
      )}
    </section>
  );
}
