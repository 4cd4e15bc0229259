package billing

import "strings"

// texts.go is the one place where codes become sentences. A {part} is replaced by the
// reason's part of that name.

// sentences say what happened, for every reason code; a hold's code is a reason code.
var sentences = map[string]string{
	"keep":          "{n} seats stand as they should.",
	"standing_made": "{n} seats are billed from {from} on.",
	"pending_made":  "{n} more seats are billed from {from} on.",
	"dated_made":    "{n} seats are billed for {from} to {to}.",
	"credit":        "{n} seats are credited for {from} to {to}.",
	"emptied":       "Nothing of this line's {n} seats is wanted any more.",
	"adopted":       "The line becomes ours: {from} seats, then {to}.",
	"detached":      "The line with {n} seats goes back to its person.",
	"reopened":      "The line goes on with {n} seats.",
	"ended":         "The line's last day is {day}.",
	"counted":       "The line goes from {from} to {to} seats.",
	"priced":        "The price goes from {from} to {to}.",
	"described":     "The text on the invoice follows the users.",
	"billed_as":     "The line is billed as {to} instead of {from}.",

	"purchased":      "Microsoft reports {n} purchased seats.",
	"assigned":       "Microsoft reports {n} assigned seats.",
	"subscription":   "The subscription has {n} seats and is {status}.",
	"with_grace":     "{n} of them are in the grace period and are billed.",
	"without_grace":  "{n} of them are in the grace period and are not billed.",
	"without_trials": "{n} of them are on trial and are not billed.",
	"included":       "{n} are included in the agreement; {left} are left.",
	"minimum":        "At least {n} are billed.",
	"gone":           "The license is gone from a complete read.",
	"gone_since":     "A person said that the tenant is gone since {day}.",
	"billed_seats":   "So {n} seats count.",
	"due_differs":    "On {day} {n} seats are due, by the days on which seats came and went.",
	"already_billed": "Invoices have charged {n} seats for {day} already.",

	string(TenantUnreadable):   "The tenant could not be read: {text}",
	string(SnapshotIncomplete): "Microsoft's answer was not complete: {text}",
	string(TenantRemoved):      "The tenant is gone from the partner's list: {text}",
	string(DropTooLarge):       "The drop from {from} to {to} seats is larger than the policy lets through.",
	string(RiseTooLarge):       "The rise from {from} to {to} seats is larger than the policy lets through.",
	string(AmountTooLarge):     "The change is worth {amount} {currency}, more than the policy's {bound}.",
	string(FallsToZero):        "All {from} seats end.",

	string(SameProductPresent):    "Agreement {agreement} has lines of this product that are not ours: {additions}.",
	string(AdoptionUnclear):       "The line to take over is not clear ({why}).",
	string(StandingAmbiguous):     "Agreement {agreement} has more than one standing line of this link.",
	string(QuantityNotWhole):      "Addition {addition} has the quantity {quantity}, which is not whole.",
	string(AdditionChangedByHand): "Addition {addition} is not as we left it ({what}).",

	string(AgreementNotActive):      "Agreement {agreement} is not active.",
	string(AgreementOneTime):        "Agreement {agreement} is a one-time agreement.",
	string(AgreementEnds):           "Agreement {agreement} ends on {end}, before the change would be billed.",
	string(AgreementChanged):        "The billing of agreement {agreement} changed in Manage.",
	string(AgreementTypeNotAllowed): "Agreement {agreement} is of the type {type}, which the profile {profile} does not allow.",
	string(BillingCycleUnsupported): "The billing cycle of agreement {agreement} is not one that Trueup bills by.",
	string(NextInvoiceUnknown):      "Agreement {agreement} has no next invoice date.",
	string(ParentDiffers):           "Agreement {agreement} and its parent have different next invoice dates.",
	string(ProrateChanged):          "Proration was switched off on agreement {agreement} while addition {addition} begins inside a period.",

	string(InvoiceMovedBack):  "Invoices were deleted: the agreement was invoiced through {was} and is now through {is}.",
	string(InvoicedMeanwhile): "An invoice was made on agreement {agreement} while the last changes were written.",
	string(ProductInactive):   "The product {product} is inactive.",
	string(ProductIsBundle):   "The product {product} is a bundle and cannot be an addition.",
	string(CurrencyMismatch):  "The profile's price is in {price}, the agreement in {agreement}.",

	string(StartDateTooEarly):  "The start date {start} is before the agreement's billing start.",
	string(StartDateSettled):   "The start date {start} lies in a period that is invoiced already.",
	string(StartDateMidPeriod): "The start date {start} is not the first day of a billing period.",

	string(SubscriptionReplaced): "The linked subscription is gone and {by} appeared for the same license.",
	string(RowsUnlinked):         "The license is split, and these subscriptions are neither linked nor set to do not bill: {rows}.",
	string(TrialMixed):           "Some of the assigned seats may be on trial.",
	string(CreditRefused):        "ConnectWise refused the credit line.",
	string(Frozen):               "Nothing is written on agreement {agreement} until it is invoiced on {until}.",
	string(ObserveOnly):          "The workspace only observes.",
}

// actions say what a person does about a hold.
var actions = map[Code]string{
	TenantUnreadable:        "Repair the connection, then sync again. The last counts stay billed.",
	SnapshotIncomplete:      "Nothing needs to be done if it passes: it is read again by itself.",
	TenantRemoved:           "Say whether it is still your customer, or since when it is gone.",
	DropTooLarge:            "Approve it, or raise the policy's bound.",
	RiseTooLarge:            "Approve it, or raise the policy's bound.",
	AmountTooLarge:          "Approve it, or raise the policy's bound.",
	FallsToZero:             "Approve it if the customer no longer has the license.",
	SameProductPresent:      "Say for each: adopt, replace or alongside.",
	AdoptionUnclear:         "Choose replace with a start date, or wait for the next invoice.",
	StandingAmbiguous:       "End all but one of them in Manage, then sync again.",
	QuantityNotWhole:        "Make the quantity whole in Manage, then sync again.",
	AdditionChangedByHand:   "Say whether to adopt what stands, revert it, or detach the line.",
	AgreementNotActive:      "Activate the agreement, or link the license to another.",
	AgreementOneTime:        "Link the license to a recurring agreement.",
	AgreementEnds:           "Link the license to another agreement, or prolong this one.",
	AgreementChanged:        "Look at the plan and approve it if the new billing is right.",
	AgreementTypeNotAllowed: "Allow the type in the profile, or link to another agreement.",
	BillingCycleUnsupported: "Use an agreement that is billed monthly, two-monthly, quarterly, half-yearly or yearly.",
	NextInvoiceUnknown:      "Give the agreement a next invoice date in Manage.",
	ParentDiffers:           "Make the next invoice dates of the agreement and its parent the same.",
	ProrateChanged:          "Look at the plan and approve it, or switch proration on again.",
	InvoiceMovedBack:        "Say whether the invoice will be made again or stays deleted.",
	InvoicedMeanwhile:       "Compare the invoice with the lines, then approve the plan.",
	ProductInactive:         "Activate the product, or choose another in the profile.",
	ProductIsBundle:         "Choose a product that is not a bundle in the profile.",
	CurrencyMismatch:        "Use a profile in the agreement's currency.",
	StartDateTooEarly:       "Give a later start date.",
	StartDateSettled:        "Give the first day of a period that is not invoiced yet.",
	StartDateMidPeriod:      "Give the first day of a billing period.",
	SubscriptionReplaced:    "Move the link to the new subscription, or set it to do not bill.",
	RowsUnlinked:            "Link each of them, or set it to do not bill.",
	TrialMixed:              "Say on the link whether trials are billed.",
	CreditRefused:           "Turn off negative prorate on the link, or credit by hand.",
	Frozen:                  "Nothing: it is written after the invoice.",
	ObserveOnly:             "Set the workspace live when its plans are right.",
}

// Sentence is what a reason says to a person. A code that has none is given as it is.
func Sentence(r Reason) string {
	text, ok := sentences[r.Code]
	if !ok {
		return r.Code
	}
	for part, value := range r.Parts {
		text = strings.ReplaceAll(text, "{"+part+"}", value)
	}
	return text
}

// ActionFor is what a person does about a hold; "" for a code without one.
func ActionFor(c Code) string { return actions[c] }
