package connectwise

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"trueup/server/billing"
)

// addition is the wire form of an addition, as far as it is read.
type addition struct {
	ID                 ident  `json:"id"`
	Agreement          ident  `json:"agreementId"`
	Product            ref    `json:"product"`
	Quantity           number `json:"quantity"`
	LessIncluded       number `json:"lessIncluded"`
	UnitPrice          number `json:"unitPrice"`
	UnitCost           number `json:"unitCost"`
	BillCustomer       string `json:"billCustomer"`
	TaxableFlag        flag   `json:"taxableFlag"`
	InvoiceGrouping    ref    `json:"invoiceGrouping"`
	EffectiveDate      day    `json:"effectiveDate"`
	CancelledDate      day    `json:"cancelledDate"`
	SerialNumber       string `json:"serialNumber"`
	InvoiceDescription text   `json:"invoiceDescription"`
	Info               info   `json:"_info"`
}

func (w addition) key() int { return int(w.ID) }

const (
	additionsRoute = "/finance/agreements/{id}/additions"
	additionRoute  = "/finance/agreements/{id}/additions/{id}"
	additionFields = "id,agreementId,product/id,product/identifier,quantity,lessIncluded,unitPrice,unitCost,billCustomer," +
		"taxableFlag,invoiceGrouping/id,effectiveDate,cancelledDate,serialNumber,invoiceDescription,_info"
)

var errNoDate = errors.New("is no date")

// billing makes the noun. The agreement is the one that was asked.
func (w addition) billing(agreement billing.AgreementID) (billing.Addition, error) {
	for _, f := range []struct {
		name    string
		missing bool
		odd     bool
	}{
		{"id", w.ID == 0, false}, {"product/id", w.Product.ID == 0, false},
		{"effectiveDate", false, w.EffectiveDate.odd}, {"cancelledDate", false, w.CancelledDate.odd},
	} {
		if f.missing || f.odd {
			return billing.Addition{}, fieldError(additionsRoute, int(w.ID), f.name, f.missing)
		}
	}
	if w.Agreement != 0 && int(w.Agreement) != int(agreement) {
		return billing.Addition{}, &DecodeError{Route: additionsRoute, ID: int(w.ID), Field: "agreementId",
			Err: fmt.Errorf("is %d and not the agreement that was asked", w.Agreement)}
	}
	return billing.Addition{
		ID:              billing.AdditionID(w.ID),
		Agreement:       agreement,
		Product:         billing.ProductID(w.Product.ID),
		ProductName:     string(w.Product.Identifier),
		Quantity:        w.Quantity.value,
		LessIncluded:    w.LessIncluded.value,
		UnitPrice:       w.UnitPrice.price(),
		UnitCost:        w.UnitCost.price(),
		Bill:            billing.BillCustomer(w.BillCustomer),
		Taxable:         w.TaxableFlag.Flag,
		InvoiceGrouping: int(w.InvoiceGrouping.ID),
		Effective:       w.EffectiveDate.Day,
		Cancelled:       w.CancelledDate.or(billing.Forever),
		Serial:          w.SerialNumber,
		Description:     string(w.InvoiceDescription),
		UpdatedBy:       string(w.Info.UpdatedBy),
		UpdatedAt:       string(w.Info.LastUpdated),
		EnteredAt:       string(w.Info.DateEntered),
	}, nil
}

// get is a read of one record.
func get(route string, ids ...int) call {
	return call{method: http.MethodGet, route: route, ids: ids}
}

// Additions lists all additions of an agreement, the cancelled ones too, in the order
// of their ids: one call for fewer than 1,000. There is no list across agreements.
//
// Vendor page: GET /finance/agreements/{parentId}/additions.
func (c *Client) Additions(ctx context.Context, agreement billing.AgreementID) ([]billing.Addition, error) {
	all := []billing.Addition{} // not nil: CreateAddition takes nil for "not read yet"
	r := rows{route: additionsRoute, ids: []int{int(agreement)}, fields: additionFields, numbered: true}
	err := list(ctx, c, r, func(w addition) error {
		a, err := w.billing(agreement)
		all = append(all, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the additions of agreement %d: %w", agreement, err)
	}
	return all, nil
}

// Addition reads one addition. That it isn't there is an error for which IsNotFound
// holds.
//
// Vendor page: GET /finance/agreements/{parentId}/additions/{id}.
func (c *Client) Addition(ctx context.Context, agreement billing.AgreementID, id billing.AdditionID) (billing.Addition, error) {
	q := get(additionRoute, int(agreement), int(id))
	q.query = query{"fields": additionFields}.encode()
	var w addition
	err := c.do(ctx, q, &w)
	if err == nil {
		var a billing.Addition
		if a, err = w.billing(agreement); err == nil {
			return a, nil
		}
	}
	return billing.Addition{}, fmt.Errorf("read addition %d of agreement %d: %w", id, agreement, err)
}
