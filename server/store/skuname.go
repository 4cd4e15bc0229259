package store

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"trueup/server/billing"
)

// SKUName is Microsoft's name of a SKU.
type SKUName struct {
	SKU        billing.SKUID `db:"sku"`
	PartNumber string        `db:"part_number"`
	Name       string        `db:"name"`
}

const (
	sqlSKUNames query = `SELECT sku, part_number, name FROM sku_name ORDER BY sku`

	sqlSaveSKUNames query = `INSERT INTO sku_name (sku, part_number, name)
		SELECT DISTINCT ON (n.sku) n.sku, n.part_number, n.name
		FROM unnest($1::text[], $2::text[], $3::text[]) AS n (sku, part_number, name)
		ON CONFLICT (sku) DO UPDATE
		SET part_number = excluded.part_number, name = excluded.name, refreshed_at = now()`
)

func skuNameSQL() []query { return []query{sqlSKUNames, sqlSaveSKUNames} }

// SKUNames lists the refreshed names.
func (s *Store) SKUNames(ctx context.Context) ([]SKUName, error) {
	var out []SKUName
	if err := (session{store: s}).all(ctx, &out, sqlSKUNames); err != nil {
		return nil, fmt.Errorf("list SKU names: %w", err)
	}
	return out, nil
}

// SaveSKUNames keeps refreshed names; those it doesn't name stay.
func (s *Store) SaveSKUNames(ctx context.Context, names []SKUName) error {
	skus := each(names, func(n SKUName) string { return string(n.SKU) })
	parts := each(names, func(n SKUName) string { return n.PartNumber })
	texts := each(names, func(n SKUName) string { return n.Name })
	in := session{store: s}
	if _, err := in.exec(ctx, sqlSaveSKUNames, pq.Array(skus), pq.Array(parts), pq.Array(texts)); err != nil {
		return fmt.Errorf("save SKU names: %w", err)
	}
	return nil
}
