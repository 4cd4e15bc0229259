package microsoft

import (
	"encoding/json"
	"slices"
	"strings"

	"trueup/server/billing"
)

const (
	// maxHolders bounds the licensed users of a tenant in memory, about 200 bytes each.
	maxHolders = 300_000
	// maxPages bounds a list; at 999 users a page it is far more than maxHolders needs,
	// but Graph may give smaller pages.
	maxPages = 3_000
)

// userRow is a row of GET /users with what is selected (Graph documentation, "user
// resource type").
type userRow struct {
	ID          *string `json:"id"`
	DisplayName *string `json:"displayName"`
	UPN         *string `json:"userPrincipalName"`
	Enabled     *bool   `json:"accountEnabled"`
	Licenses    *[]struct {
		SkuID *string `json:"skuId"`
	} `json:"assignedLicenses"`
}

// holders collects licensed users page by page. Most users of a tenant hold the same
// licenses, so the lists of SKUs are shared between them; nobody may write into one.
type holders struct {
	list  []billing.Holder
	seen  map[string]bool
	sets  map[string][]billing.SKUID
	key   []byte
	fresh int // users of this page that weren't on an earlier one
}

func newHolders() *holders {
	return &holders{seen: map[string]bool{}, sets: map[string][]billing.SKUID{}}
}

func (h *holders) row(d *json.Decoder) error {
	var r userRow
	if err := d.Decode(&r); err != nil {
		return undecoded(err, "user_broken", "a user row can't be read")
	}
	id := clean(text(r.ID))
	if id == "" {
		return brokenf("user_broken", "a user row has no id")
	}
	if r.Licenses == nil {
		// It is given when selected, so that this isn't the answer to our question.
		return brokenf("user_broken", "a user row has no licenses")
	}
	skus := make([]billing.SKUID, 0, len(*r.Licenses))
	for _, l := range *r.Licenses {
		if l.SkuID == nil || !isGUID(*l.SkuID) {
			return brokenf("user_broken", "a license of a user has no SKU id")
		}
		skus = append(skus, billing.SKUID(strings.ToLower(*l.SkuID)))
	}
	// The same user on two pages is one user; users come and go while we read.
	if h.seen[id] {
		return nil
	}
	if len(h.list) >= maxHolders {
		return brokenf("too_many_rows", "it has more licensed users than can be read")
	}
	h.seen[id] = true
	h.fresh++
	if len(skus) == 0 {
		return nil // the index that is asked lags behind: no longer licensed
	}
	upn := clean(text(r.UPN))
	name := clean(text(r.DisplayName))
	if name == "" {
		name = upn
	}
	h.list = append(h.list, billing.Holder{ID: id, Name: name, UPN: upn, Enabled: r.Enabled == nil || *r.Enabled, SKUs: h.set(skus)})
	return nil
}

// pageDone looks whether the page that was just read brought anybody: one that repeats
// what was there is a loop, whatever its address.
func (h *holders) pageDone(p page) error {
	if p.rows > 0 && h.fresh == 0 {
		return brokenf("page_loop", "the pages of users repeat themselves")
	}
	h.fresh = 0
	return nil
}

// set is the shared list of these SKUs, sorted. It has no spare room, so that an
// append of somebody else's copies it.
func (h *holders) set(skus []billing.SKUID) []billing.SKUID {
	slices.Sort(skus)
	skus = slices.Compact(skus)
	key := h.key[:0]
	for _, s := range skus {
		key = append(key, s...) // all of one length
	}
	h.key = key
	if set, ok := h.sets[string(key)]; ok {
		return set
	}
	set := slices.Clip(slices.Clone(skus))
	h.sets[string(key)] = set
	return set
}

// short says whether the list ended too early: count is what Graph said on the first
// page. Only a list of one page must agree with it; over more pages users come and go,
// and a few less are no lost page.
func (h *holders) short(count *int64, pages int) bool {
	if count == nil {
		return false
	}
	got := int64(len(h.seen))
	if pages == 1 {
		return got < *count
	}
	return got < *count-max(*count/100, 10)
}

func (h *holders) sorted() []billing.Holder {
	slices.SortFunc(h.list, func(a, b billing.Holder) int { return strings.Compare(a.ID, b.ID) })
	return h.list
}
