package microsoft

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"trueup/server/billing"
)

// skus.csv holds the product names that Microsoft publishes, keyed by SKU id, and
// free.csv those that cost nothing; NOTICE says where the names come from.
//
//go:embed skus.csv
var builtInNames []byte

//go:embed free.csv
var builtInFree []byte

// Product is a row of a SKU table.
type Product struct {
	SKU  billing.SKUID
	Part string // skuPartNumber
	Name string
}

// SKUTable names licenses. The key is the SKU id: part numbers are not unique.
type SKUTable struct{ products map[billing.SKUID]Product }

// Name is the product's name, else the part number, else the id.
func (t *SKUTable) Name(id billing.SKUID, part string) string {
	if p, ok := t.products[id]; ok && p.Name != "" {
		return p.Name
	}
	if part != "" {
		return part
	}
	return string(id)
}

// Products are the rows in order of SKU id.
func (t *SKUTable) Products() []Product {
	return slices.SortedFunc(maps.Values(t.products), func(a, b Product) int { return strings.Compare(string(a.SKU), string(b.SKU)) })
}

// With is this table with the rows of newer over its own. A name is never lost:
// Microsoft takes rows out of its table while customers still have the product.
func (t *SKUTable) With(newer *SKUTable) *SKUTable {
	products := maps.Clone(t.products)
	maps.Copy(products, newer.products)
	return &SKUTable{products}
}

var builtIn = sync.OnceValue(func() *SKUTable {
	rows, err := readCSV(bytes.NewReader(builtInNames), "sku", "part", "name")
	t := &SKUTable{make(map[billing.SKUID]Product, len(rows))}
	if err != nil {
		return t // names are a comfort; a test sees to it that this doesn't happen
	}
	for _, r := range rows {
		t.products[billing.SKUID(r[0])] = Product{billing.SKUID(r[0]), r[1], r[2]}
	}
	return t
})

// BuiltInSKUs is the table that comes with the product.
func BuiltInSKUs() *SKUTable { return builtIn() }

// SKUName is the built-in table's name of a license; for one that it doesn't have, the
// part number, else the id. Microsoft's table lags behind its products.
func SKUName(id billing.SKUID, part string) string { return builtIn().Name(id, part) }

var freeSKUs = sync.OnceValue(func() map[string]string {
	kinds := map[string]string{}
	rows, err := readCSV(bytes.NewReader(builtInFree), "sku", "part", "kind")
	if err != nil {
		return kinds
	}
	for _, r := range rows {
		kinds[r[0]] = r[2]
		kinds[strings.ToUpper(r[1])] = r[2]
	}
	return kinds
})

// FreeSKU says why a license is normally not billed. It is a proposal for a person:
// nothing is left unbilled because of it alone. Viral SKUs show 10,000 seats and more
// that nobody bought.
func FreeSKU(id billing.SKUID, part string) (why string, ok bool) {
	kind, ok := freeSKUs()[string(id)]
	if !ok && part != "" {
		kind, ok = freeSKUs()[strings.ToUpper(part)]
	}
	switch {
	case !ok:
		return "", false
	case kind == "viral":
		return "Trial that users start by themselves", true
	case kind == "trial":
		return "Trial license", true
	}
	return "Free license", true
}

const (
	maxTableBytes = 16 << 20
	maxTableRows  = 100_000
)

// ReadSKUTable reads the table that Microsoft publishes as "Product names and service
// plan identifiers for licensing" (CSV with Product_Display_Name, String_Id, GUID and a
// row for each service plan). Of several names for one id the last one counts. It is
// strict: a row without a GUID or a name, a missing column, an empty or too large table
// is refused with its line, and nothing of it is used.
func ReadSKUTable(r io.Reader) (*SKUTable, error) {
	rows, err := readCSV(r, "GUID", "String_Id", "Product_Display_Name")
	if err != nil {
		return nil, fmt.Errorf("read the SKU table: %w", err)
	}
	t := &SKUTable{map[billing.SKUID]Product{}}
	for i, row := range rows {
		id, part, name := billing.SKUID(strings.ToLower(row[0])), clean(row[1]), clean(row[2])
		if !isGUID(row[0]) || part == "" || name == "" {
			return nil, fmt.Errorf("read the SKU table: row %d has no id, no part number or no name", i+2)
		}
		t.products[id] = Product{id, part, name}
	}
	if len(t.products) == 0 {
		return nil, errors.New("read the SKU table: it is empty")
	}
	return t, nil
}

// readCSV reads the named columns of a table whose first line names its columns, in
// any order and among others.
func readCSV(r io.Reader, columns ...string) ([][]string, error) {
	limited := &io.LimitedReader{R: r, N: maxTableBytes + 1}
	in := bufio.NewReader(limited)
	if bom, err := in.Peek(3); err == nil && bytes.Equal(bom, []byte("\xEF\xBB\xBF")) {
		_, _ = in.Discard(3)
	}
	c := csv.NewReader(in)
	c.ReuseRecord = true
	head, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("the first line: %w", err)
	}
	at := make([]int, len(columns))
	for i, name := range columns {
		if at[i] = slices.IndexFunc(head, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) }); at[i] < 0 {
			return nil, fmt.Errorf("there is no column %q", name)
		}
	}
	var rows [][]string
	for {
		record, err := c.Read()
		switch {
		case limited.N <= 0 || len(rows) >= maxTableRows:
			return nil, errors.New("it is too large")
		case errors.Is(err, io.EOF):
			return rows, nil
		case err != nil:
			return nil, fmt.Errorf("a line: %w", err)
		}
		row := make([]string, len(at))
		for i, n := range at {
			if row[i] = strings.TrimSpace(record[n]); !utf8.ValidString(row[i]) {
				return nil, fmt.Errorf("row %d is not UTF-8", len(rows)+2)
			}
		}
		rows = append(rows, row)
	}
}
