package connectwise

import (
	"strings"

	"trueup/server/billing"
)

// field is a field of an addition that we write: its path in a patch, how it is
// written, and when two lines agree in it.
type field struct {
	path  string
	value func(billing.Addition) any
	same  func(a, b billing.Addition) bool
}

// fieldsOfAddition are all fields that are ever patched.
var fieldsOfAddition = []field{
	{
		path:  "quantity",
		value: func(a billing.Addition) any { return wireNumber(a.Quantity) },
		same:  func(a, b billing.Addition) bool { return a.Quantity.Cmp(b.Quantity) == 0 },
	}, {
		path:  "effectiveDate",
		value: func(a billing.Addition) any { return wireDay(a.Effective) },
		same:  func(a, b billing.Addition) bool { return a.Effective == b.Effective },
	}, {
		path:  "cancelledDate",
		value: func(a billing.Addition) any { return wireDay(a.Cancelled) },
		same:  func(a, b billing.Addition) bool { return lastDay(a) == lastDay(b) },
	}, {
		path:  "serialNumber",
		value: func(a billing.Addition) any { return a.Serial },
		same:  func(a, b billing.Addition) bool { return a.Serial == b.Serial },
	}, {
		path:  "invoiceDescription",
		value: func(a billing.Addition) any { return oneLine(a.Description) },
		same:  func(a, b billing.Addition) bool { return oneLine(a.Description) == oneLine(b.Description) },
	}, {
		path:  "unitPrice",
		value: func(a billing.Addition) any { return wireNumber(a.UnitPrice.Amount) },
		same:  func(a, b billing.Addition) bool { return !b.UnitPrice.Set || a.UnitPrice.Equal(b.UnitPrice) },
	}, {
		path:  "billCustomer",
		value: func(a billing.Addition) any { return string(a.Bill) },
		same:  func(a, b billing.Addition) bool { return b.Bill == "" || a.Bill == b.Bill },
	}, {
		path:  "lessIncluded",
		value: func(a billing.Addition) any { return wireNumber(a.LessIncluded) },
		same:  func(a, b billing.Addition) bool { return a.LessIncluded.Cmp(b.LessIncluded) == 0 },
	},
}

var (
	// plannedFields tell that a line with our serial is the one that was planned.
	plannedFields = map[string]bool{"quantity": true, "effectiveDate": true, "cancelledDate": true}
	// createdFields are compared with the answer to a create. The description isn't:
	// ConnectWise changes line breaks and perhaps more, and it bills nothing.
	createdFields = map[string]bool{"quantity": true, "effectiveDate": true, "cancelledDate": true, "serialNumber": true,
		"unitPrice": true, "billCustomer": true}
)

// lastDay is the cancelled day; none means none, as Forever does.
func lastDay(a billing.Addition) billing.Day {
	if a.Cancelled.IsZero() {
		return billing.Forever
	}
	return a.Cancelled
}

// oneLine is a text as ConnectWise keeps it: line breaks become spaces there, so they
// are made spaces here, and what comes back equals what was sent.
func oneLine(s string) string {
	return strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ", "\b", " ", "\f", " ").Replace(s)
}

// same compares the product and the fields that are named.
func same(is, want billing.Addition, names map[string]bool) bool {
	return is.Product == want.Product && len(differing(is, want, names)) == 0
}

// differing lists the named fields in which is isn't as wanted.
func differing(is, want billing.Addition, names map[string]bool) []string {
	var all []string
	for _, f := range fieldsOfAddition {
		if names[f.path] && !f.same(is, want) {
			all = append(all, f.path)
		}
	}
	return all
}

// notTaken compares an answer with what was asked: Manage answers 200 to fields that
// it ignores.
func notTaken(is, want billing.Addition, names map[string]bool) error {
	fields := differing(is, want, names)
	if is.Product != want.Product {
		fields = append(fields, "product")
	}
	if len(fields) == 0 {
		return nil
	}
	return &NotTakenError{Agreement: is.Agreement, Addition: is.ID, Fields: fields}
}
