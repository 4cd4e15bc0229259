package connectwise

import (
	"context"
	"fmt"

	"trueup/server/billing"
)

// Recap is what ConnectWise's agreement recap says of invoices; days are zero where
// it says nothing that can be read.
type Recap struct {
	LastInvoice       billing.Day
	LastInvoiceNumber string
	NextInvoice       billing.Day
}

// AgreementRecap reads the recap of an agreement; it is shown beside "invoiced
// through" for a person to confirm, and decides nothing.
//
// Vendor page: GET /finance/agreementrecap/{id}.
func (c *Client) AgreementRecap(ctx context.Context, id billing.AgreementID) (Recap, error) {
	var w struct {
		LastInvoiceDate   day  `json:"lastInvoiceDate"`
		LastInvoiceNumber text `json:"lastInvoiceNumber"`
		NextInvoiceDate   day  `json:"nextInvoiceDate"`
	}
	if err := c.do(ctx, get("/finance/agreementrecap/{id}", int(id)), &w); err != nil {
		return Recap{}, fmt.Errorf("read the recap of agreement %d: %w", id, err)
	}
	return Recap{
		LastInvoice:       w.LastInvoiceDate.Day,
		LastInvoiceNumber: plain(w.LastInvoiceNumber, 50),
		NextInvoice:       w.NextInvoiceDate.Day,
	}, nil
}
