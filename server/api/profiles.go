package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/govalues/decimal"

	"trueup/server/billing"
)

// ProfilesBook keeps billing profiles.
type ProfilesBook interface {
	ProfileKeeper
	ProfileChooser
}

// ProfileKeeper keeps billing profiles one by one.
type ProfileKeeper interface {
	// Profiles lists them by name, retired ones too.
	Profiles(ctx context.Context, w billing.WorkspaceID) ([]ProfileState, error)
	// Profile reads one; ErrNotFound.
	Profile(ctx context.Context, w billing.WorkspaceID, id billing.ProfileID) (ProfileState, error)
	// SaveProfile makes (ID 0) or changes one, with who did it; its customers are synced
	// next. version names how it was shown, "" for a new one; ErrMoved when it isn't so any
	// more. What Manage doesn't have is a Refusal with the field.
	SaveProfile(ctx context.Context, by billing.Actor, w billing.WorkspaceID, version string, p billing.Profile) (ProfileState, error)
	// RemoveProfile removes one that nothing ever named.
	RemoveProfile(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.ProfileID) error
	// RetireProfile retires one, or takes it back.
	RetireProfile(ctx context.Context, by billing.Actor, w billing.WorkspaceID, id billing.ProfileID, retired bool) (ProfileState, error)
}

// ProfileChooser does what concerns many links or profiles.
type ProfileChooser interface {
	// PreviewProfile plans every customer of a profile as it is and as it would be.
	PreviewProfile(ctx context.Context, w billing.WorkspaceID, p billing.Profile) (ProfileEffect, error)
	// MoveLinks gives all links of a profile another one and says whose they are.
	MoveLinks(ctx context.Context, by billing.Actor, w billing.WorkspaceID, from, to billing.ProfileID) ([]billing.CustomerID, error)
	// ProfileProposals are profiles that could be made.
	ProfileProposals(ctx context.Context, w billing.WorkspaceID) ([]ProfileProposed, error)
}

// ProfileState is a billing profile with what it stands on.
type ProfileState struct {
	billing.Profile

	ProductName  string
	ProductPrice billing.Price // the catalog's, where it was read
	TypeNames    map[billing.AgreementTypeID]string
	Links        int // that use it
}

// Version names how a profile is: another one for every other setting.
func (p ProfileState) Version() string {
	text, err := json.Marshal([]any{p.Name, p.Types, p.Product, p.Price.Set, p.Price.Amount.Trim(0), p.Currency, p.Bill, p.Retired})
	if err != nil {
		return "" // nothing of it can't be written
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// ProfileEffect is what a change would do at the next sync. Its plans are those that are
// other ones by it; Money is by how much all plans differ, which is what the change is worth.
type ProfileEffect struct {
	EffectState

	Money []billing.Money
}

// ProfileProposed is a profile that could be made of a license and term.
type ProfileProposed struct {
	Name, License, PartNumber string
	SKU                       billing.SKUID
	Term                      string // Annual, Monthly, 3 years; "" where it isn't known
	Customers, Seats          int
	Product                   *billing.Product // that fits
	Types                     []billing.AgreementType
	Additions                 int // lines of the product on active agreements
	Exists                    billing.ProfileID
	ExistsName                string
}

type profilesScreen struct {
	book ProfilesBook
}

// ListProfiles lists the billing profiles.
func (s profilesScreen) ListProfiles(ctx context.Context, _ ListProfilesRequestObject) (ListProfilesResponseObject, error) {
	all, err := s.book.Profiles(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	return ListProfiles200JSONResponse{Items: each(all, profileOf)}, nil
}

// GetProfile answers with a billing profile.
func (s profilesScreen) GetProfile(ctx context.Context, r GetProfileRequestObject) (GetProfileResponseObject, error) {
	is, err := s.book.Profile(ctx, workspaceOf(ctx), billing.ProfileID(r.Profile))
	if err != nil {
		return nil, err
	}
	return GetProfile200JSONResponse{Body: profileOf(is), Headers: GetProfile200ResponseHeaders{ETag: quoted(is.Version())}}, nil
}

// AddProfile adds a billing profile.
func (s profilesScreen) AddProfile(ctx context.Context, r AddProfileRequestObject) (AddProfileResponseObject, error) {
	p, err := profileIn(*r.Body)
	if err != nil {
		return nil, err
	}
	is, err := s.book.SaveProfile(ctx, actor(ctx), workspaceOf(ctx), "", p)
	if err != nil {
		return nil, err
	}
	return AddProfile201JSONResponse(profileOf(is)), nil
}

// ChangeProfile changes a billing profile.
func (s profilesScreen) ChangeProfile(ctx context.Context, r ChangeProfileRequestObject) (ChangeProfileResponseObject, error) {
	was, err := s.book.Profile(ctx, workspaceOf(ctx), billing.ProfileID(r.Profile)) // what isn't there comes before what is wrong
	if err != nil {
		return nil, err
	}
	p, err := profileIn(*r.Body)
	if err != nil {
		return nil, err
	}
	p.ID, p.Retired = was.ID, was.Retired
	is, err := s.book.SaveProfile(ctx, actor(ctx), workspaceOf(ctx), unquoted(r.Params.IfMatch), p)
	if err != nil {
		return nil, err
	}
	return ChangeProfile200JSONResponse{Body: profileOf(is), Headers: ChangeProfile200ResponseHeaders{ETag: quoted(is.Version())}}, nil
}

// RemoveProfile removes a billing profile that was never used.
func (s profilesScreen) RemoveProfile(ctx context.Context, r RemoveProfileRequestObject) (RemoveProfileResponseObject, error) {
	err := s.book.RemoveProfile(ctx, actor(ctx), workspaceOf(ctx), billing.ProfileID(r.Profile))
	return RemoveProfile204Response{}, err
}

// PreviewProfile shows what a change would change.
func (s profilesScreen) PreviewProfile(ctx context.Context, r PreviewProfileRequestObject) (PreviewProfileResponseObject, error) {
	was, err := s.book.Profile(ctx, workspaceOf(ctx), billing.ProfileID(r.Profile))
	if err != nil {
		return nil, err
	}
	p, err := profileIn(*r.Body)
	if err != nil {
		return nil, err
	}
	p.ID, p.Retired = was.ID, was.Retired
	is, err := s.book.PreviewProfile(ctx, workspaceOf(ctx), p)
	if err != nil {
		return nil, err
	}
	out, err := effectOf(is.EffectState)
	if err == nil {
		out.Money, err = sumOf(is.Money)
	}
	return PreviewProfile200JSONResponse(out), err
}

// RetireProfile retires a billing profile: no new links.
func (s profilesScreen) RetireProfile(ctx context.Context, r RetireProfileRequestObject) (RetireProfileResponseObject, error) {
	is, err := s.book.RetireProfile(ctx, actor(ctx), workspaceOf(ctx), billing.ProfileID(r.Profile), true)
	if err != nil {
		return nil, err
	}
	return RetireProfile200JSONResponse(profileOf(is)), nil
}

// RestoreProfile takes a retired one back.
func (s profilesScreen) RestoreProfile(ctx context.Context, r RestoreProfileRequestObject) (RestoreProfileResponseObject, error) {
	is, err := s.book.RetireProfile(ctx, actor(ctx), workspaceOf(ctx), billing.ProfileID(r.Profile), false)
	if err != nil {
		return nil, err
	}
	return RestoreProfile200JSONResponse(profileOf(is)), nil
}

// MoveLinks gives all links of a profile another one.
func (s profilesScreen) MoveLinks(ctx context.Context, r MoveLinksRequestObject) (MoveLinksResponseObject, error) {
	ids, err := s.book.MoveLinks(ctx, actor(ctx), workspaceOf(ctx), billing.ProfileID(r.Profile), billing.ProfileID(r.Body.To))
	if err != nil {
		return nil, err
	}
	return MoveLinks200JSONResponse(syncOf(ids)), nil
}

// ListProfileProposals lists profiles that could be made.
func (s profilesScreen) ListProfileProposals(ctx context.Context, _ ListProfileProposalsRequestObject) (ListProfileProposalsResponseObject, error) {
	all, err := s.book.ProfileProposals(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	return ListProfileProposals200JSONResponse{Items: each(all, proposalOf)}, nil
}

// AddProfiles adds many, each by itself: one that can't be doesn't keep the others.
func (s profilesScreen) AddProfiles(ctx context.Context, r AddProfilesRequestObject) (AddProfilesResponseObject, error) {
	out := AddProfiles200JSONResponse{Results: []BulkResult{}}
	for i, given := range r.Body.Items {
		p, err := profileIn(given)
		var is ProfileState
		if err == nil {
			is, err = s.book.SaveProfile(ctx, actor(ctx), workspaceOf(ctx), "", p)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			out.Results = append(out.Results, problemOf(i, err))
			out.Failed++
			continue
		}
		out.Results = append(out.Results, BulkResult{Index: i, Ok: true, ID: strconv.FormatInt(int64(is.ID), 10)})
		out.Done++
	}
	return out, nil
}

func profileOf(p ProfileState) Profile {
	return Profile{
		ID: int(p.ID), Name: p.Name, Product: int(p.Product), ProductName: p.ProductName, ProductPrice: priceOf(p.ProductPrice), Price: priceOf(p.Price),
		Currency: p.Currency, Bill: billOf(p.Bill), Retired: p.Retired, Links: p.Links, Version: p.Version(),
		AgreementTypes: each(p.Types, func(id billing.AgreementTypeID) TypeRef {
			name, known := p.TypeNames[id]
			if !known {
				name = "Type " + strconv.Itoa(int(id))
			}
			return TypeRef{ID: int(id), Name: name}
		}),
	}
}

// profileIn reads a profile as far as it can be judged without Manage.
func profileIn(in ProfileInput) (billing.Profile, error) {
	p := billing.Profile{
		Name: strings.TrimSpace(in.Name), Product: billing.ProductID(in.Product), Currency: in.Currency, Bill: billIn(in.Bill),
		Types: each(in.AgreementTypes, func(id int) billing.AgreementTypeID { return billing.AgreementTypeID(id) }),
	}
	slices.Sort(p.Types)
	p.Types = slices.Compact(p.Types)
	switch {
	case p.Name == "":
		return p, Faulty("name", "required", "It is needed.")
	case len(p.Types) == 0:
		return p, Faulty("agreementTypes", "required", "Choose the agreement types that it may be used with, one at least.")
	case in.Price == "":
		p.Currency = "" // it is that of a custom price
		return p, nil
	}
	amount, err := decimal.Parse(in.Price)
	if err != nil || amount.IsNeg() {
		return p, Faulty("price", "wrong_form", "It must be an amount such as 22.50, and not below 0.")
	}
	p.Price = billing.PriceOf(amount)
	return p, nil
}

func proposalOf(p ProfileProposed) ProfileProposal {
	out := ProfileProposal{
		Name: p.Name, License: p.License, SKU: GUID(p.SKU), PartNumber: p.PartNumber, Term: p.Term, Customers: p.Customers, Seats: p.Seats,
		Additions: p.Additions, Exists: ProfileRef{ID: int(p.Exists), Name: p.ExistsName},
		AgreementTypes: each(p.Types, func(t billing.AgreementType) TypeRef { return TypeRef{ID: int(t.ID), Name: t.Name} }),
	}
	if p.Product != nil {
		out.Product = productOf(*p.Product)
	}
	return out
}
