package connectwise

import (
	"context"
	"fmt"

	"trueup/server/billing"
)

type agreementType struct {
	ID           ident `json:"id"`
	Name         text  `json:"name"`
	InactiveFlag flag  `json:"inactiveFlag"`
}

func (w agreementType) key() int { return int(w.ID) }

const agreementTypesRoute = "/finance/agreements/types"

// AgreementTypes lists all agreement types, the inactive ones too.
//
// Vendor page: GET /finance/agreements/types.
func (c *Client) AgreementTypes(ctx context.Context) ([]billing.AgreementType, error) {
	var all []billing.AgreementType
	r := rows{route: agreementTypesRoute, fields: "id,name,inactiveFlag"}
	err := list(ctx, c, r, func(w agreementType) error {
		all = append(all, billing.AgreementType{ID: billing.AgreementTypeID(w.ID), Name: string(w.Name), Inactive: w.InactiveFlag.on()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list agreement types: %w", err)
	}
	return all, nil
}
