package microsoftsim

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// page is a stretch of a list.
type page struct {
	from, to int
	next     string // absolute address of the next page, empty on the last
	first    bool
}

// pageOf finds the stretch that a call asks for. A skiptoken belongs to its tenant, path and query: with another it is refused.
func (s *Sim) pageOf(q *graphCall, total, size int) (page, *response) {
	p := page{first: true}
	query := q.queryWithout("$skiptoken")
	if token := q.query.Get("$skiptoken"); token != "" {
		from, ok := openSkipToken(token, s.skipSeal(q, query))
		if !ok {
			refused := s.graphError(http.StatusBadRequest, "Directory_ExpiredPageToken", "The specified page token value has expired and can no longer be included in your request.")
			return p, &refused
		}
		p.from, p.first = from, false
	}
	p.from = min(p.from, total)
	p.to = min(p.from+size, total)
	if p.to < total {
		token := skipToken(s.skipSeal(q, query), p.to)
		p.next = q.urls.Graph + "/v1.0" + q.path + "?" + strings.ReplaceAll(query, " ", "%20")
		if query != "" {
			p.next += "&"
		}
		p.next += "$skiptoken=" + token
	}
	return p, nil
}

// queryWithout is the call's query, as it was sent, without one option.
func (q *graphCall) queryWithout(name string) string {
	var kept []string
	for _, item := range strings.Split(q.rawQuery, "&") {
		key, _, _ := strings.Cut(item, "=")
		if plain, err := url.QueryUnescape(key); item == "" || err == nil && plain == name {
			continue
		}
		kept = append(kept, item)
	}
	return strings.Join(kept, "&")
}

// skipSeal ties a skiptoken to what it continues.
func (s *Sim) skipSeal(q *graphCall, query string) string {
	plain, err := url.QueryUnescape(query)
	if err != nil {
		plain = query
	}
	sum := sha256.Sum256([]byte(string(s.key) + q.tenant.ID + q.path + plain))
	return hex.EncodeToString(sum[:8])
}

func skipToken(seal string, from int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(seal + ":" + strconv.Itoa(from)))
}

func openSkipToken(token, seal string) (int, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, false
	}
	got, count, ok := strings.Cut(string(raw), ":")
	if !ok || got != seal {
		return 0, false
	}
	from, err := strconv.Atoi(count)
	return from, err == nil && from >= 0
}

// list is an OData collection.
type list struct {
	Context string `json:"@odata.context"`
	Count   *int   `json:"@odata.count,omitempty"`
	Next    string `json:"@odata.nextLink,omitempty"`
	Value   any    `json:"value"`
}
