package connectwise

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"trueup/server/billing"
	"trueup/server/upstream"
)

// catalogItem is the wire form of a catalog item, as far as it is used.
type catalogItem struct {
	ID                  ident  `json:"id"`
	Identifier          text   `json:"identifier"`
	Description         text   `json:"description"`
	CustomerDescription text   `json:"customerDescription"`
	ProductClass        string `json:"productClass"`
	Price               number `json:"price"`
	InactiveFlag        flag   `json:"inactiveFlag"`
}

func (w catalogItem) key() int { return int(w.ID) }

func (w catalogItem) billing() billing.Product {
	p := billing.Product{
		ID:          billing.ProductID(w.ID),
		Identifier:  string(w.Identifier),
		Description: string(w.CustomerDescription),
		Price:       w.Price.value,
		Bundle:      w.ProductClass == "Bundle",
		Inactive:    w.InactiveFlag.on(),
	}
	if strings.TrimSpace(p.Description) == "" {
		p.Description = string(w.Description)
	}
	return p
}

const (
	catalogRoute  = "/procurement/catalog"
	catalogFields = "id,identifier,description,customerDescription,productClass,price,inactiveFlag"
)

// ProductQuery narrows a list of catalog items; the zero value is all of them, the
// inactive ones too.
type ProductQuery struct {
	IDs []billing.ProductID
	// Identifiers are compared without regard to case.
	Identifiers []string
	// Text is a part of the identifier or the description, in any case.
	Text string
	// Active leaves out the inactive ones.
	Active bool
	// Most ends the list early; 0: all.
	Most int
}

// Products hands each catalog item of the query to the callback, once. An error of
// the callback ends the list. A price that ConnectWise leaves open is 0.
//
// Vendor page: GET /procurement/catalog.
func (c *Client) Products(ctx context.Context, q ProductQuery, each func(billing.Product) error) error {
	r := rows{route: catalogRoute, fields: catalogFields}
	given := 0
	err := lookUp(c, r, q.IDs, q.Identifiers, q.conditions(), func(r rows) error {
		return list(ctx, c, r, func(w catalogItem) error {
			if !q.wants(w) {
				return nil
			}
			if err := each(w.billing()); err != nil {
				return err
			}
			if given++; given == q.Most {
				return errEnough
			}
			return nil
		})
	})
	if err != nil && !errors.Is(err, errEnough) {
		return fmt.Errorf("list products: %w", err)
	}
	return nil
}

// errEnough ends a list of which only the first rows are wanted.
var errEnough = errors.New("enough rows")

// ProductList is Products as a slice.
func (c *Client) ProductList(ctx context.Context, q ProductQuery) ([]billing.Product, error) {
	var all []billing.Product
	err := c.Products(ctx, q, func(p billing.Product) error {
		all = append(all, p)
		return nil
	})
	return all, err
}

// conditions narrow by text only; see CompanyQuery.conditions.
func (q ProductQuery) conditions() string {
	if !quotable(q.Text) {
		return ""
	}
	return `(identifier contains "` + q.Text + `" or description contains "` + q.Text + `")`
}

func (q ProductQuery) wants(w catalogItem) bool {
	t := strings.ToLower(q.Text)
	return (len(q.Identifiers) == 0 || containsFold(q.Identifiers, string(w.Identifier))) &&
		(strings.Contains(strings.ToLower(string(w.Identifier)), t) || strings.Contains(strings.ToLower(string(w.Description)), t)) &&
		(!q.Active || !w.InactiveFlag.on())
}

// Price asks what a product costs a company on a day, by its price schedules: the
// price that ConnectWise would use for that quantity. Not Set: it names none.
//
// Vendor page: POST /procurement/catalog/{id}/pricing (CatalogPricing). It is a
// question in spite of the method and writes nothing.
func (c *Client) Price(ctx context.Context, product billing.ProductID, company billing.CompanyID, quantity int, on billing.Day) (billing.Price, error) {
	q := call{method: http.MethodPost, route: catalogRoute + "/{id}/pricing", ids: []int{int(product)}, body: map[string]any{
		"catalogItem": map[string]int{"id": int(product)},
		"company":     map[string]int{"id": int(company)},
		"quantity":    quantity,
		"date":        wireDay(on),
	}}
	var w struct {
		Price number `json:"price"`
	}
	if err := c.do(upstream.Idempotent(ctx), q, &w); err != nil {
		return billing.Price{}, fmt.Errorf("ask for the price of product %d for company %d: %w", product, company, err)
	}
	return w.Price.price(), nil
}
