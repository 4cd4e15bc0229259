package microsoftsim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const batchLimit = 20

// batchItem is a request in a batch (json-batching).
type batchItem struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

// batchAnswer is its response.
type batchAnswer struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body,omitempty"`
}

// batch is POST /$batch. The outer 200 says nothing about the items, which come back in an order of the simulator's own.
func (s *Sim) batch(q *request) response {
	if q.method != http.MethodPost {
		return s.graphError(http.StatusMethodNotAllowed, "BadRequest", "Only POST is supported for $batch.")
	}
	if !strings.HasPrefix(q.header.Get("Content-Type"), "application/json") {
		return s.graphError(http.StatusUnsupportedMediaType, "BadRequest", "The Content-Type of a batch must be application/json.")
	}
	if refused := s.refusedAtTheDoor(q); refused != "" {
		return s.graphError(http.StatusUnauthorized, "InvalidAuthenticationToken", refused)
	}
	var in struct {
		Requests []batchItem `json:"requests"`
	}
	if err := json.Unmarshal(q.body, &in); err != nil {
		return s.graphError(http.StatusBadRequest, "BadRequest", "Invalid batch payload format.")
	}
	if fault := checkBatch(in.Requests); fault != "" {
		return s.graphError(http.StatusBadRequest, "BadRequest", fault)
	}
	return batchResponse(s.runBatch(q, in.Requests))
}

// batchResponse writes the answers. It is written by hand because a benchmark reads many: the encoder would go through every body, which is JSON already, once more.
func batchResponse(answers []batchAnswer) response {
	b := []byte(`{"responses":[`)
	for n, a := range answers {
		body, raw := a.Body.(json.RawMessage)
		if raw {
			a.Body = nil
		}
		head := jsonAnswer(http.StatusOK, a)
		if head.status != http.StatusOK {
			return head
		}
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, bytes.TrimSpace(head.body)...)
		if raw {
			b = append(b[:len(b)-1], `,"body":`...)
			b = append(append(b, bytes.TrimSpace(body)...), '}')
		}
	}
	out := jsonAnswer(http.StatusOK, nil)
	out.body = append(b, "]}"...)
	return out
}

// refusedAtTheDoor says why the batch as a whole gets a 401.
func (s *Sim) refusedAtTheDoor(q *request) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, refused := s.admit(q)
	return refused
}

func checkBatch(items []batchItem) string {
	if len(items) == 0 || len(items) > batchLimit {
		return fmt.Sprintf("Number of batch request steps must be between 1 and the maximum value of %d.", batchLimit)
	}
	seen := map[string]bool{}
	for _, item := range items {
		switch {
		case item.ID == "":
			return "A batch request step has no id."
		case seen[item.ID]:
			return "Batch request id '" + item.ID + "' is not unique."
		case item.Method == "" || item.URL == "":
			return "Batch request step '" + item.ID + "' lacks its method or url."
		case strings.Contains(strings.SplitN(item.URL, "?", 2)[0], "://"):
			return "Batch request step '" + item.ID + "': the url must be relative."
		}
		for _, before := range item.DependsOn {
			if !seen[before] {
				return "Batch request step '" + item.ID + "' depends on '" + before + "', which doesn't come before it."
			}
		}
		seen[item.ID] = true
	}
	return ""
}

func (s *Sim) runBatch(q *request, items []batchItem) []batchAnswer {
	status := map[string]int{}
	var answers []batchAnswer
	for _, item := range items {
		answer, sent := s.runItem(q, item, status)
		status[item.ID] = answer.Status
		if sent {
			answers = append(answers, answer)
		}
	}
	// Every other one from the end: an order that no client can rely on, the same in every run.
	shuffled := make([]batchAnswer, 0, len(answers))
	for n := len(answers) - 1; n >= 0; n -= 2 {
		shuffled = append(shuffled, answers[n])
	}
	for n := len(answers) - 2; n >= 0; n -= 2 {
		shuffled = append(shuffled, answers[n])
	}
	return shuffled
}

// runItem answers one item; sent is false when a fault swallowed it.
func (s *Sim) runItem(q *request, item batchItem, before map[string]int) (answer batchAnswer, sent bool) {
	for _, id := range item.DependsOn {
		if before[id] >= 300 || before[id] == 0 {
			failed := s.graphError(http.StatusFailedDependency, "FailedDependency", "The request depends on one that failed.")
			return itemAnswer(item.ID, failed), true
		}
	}
	path, rawQuery, _ := strings.Cut(item.URL, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return itemAnswer(item.ID, s.graphError(http.StatusBadRequest, "BadRequest", "Invalid url in batch request step.")), true
	}
	header := http.Header{}
	for name, value := range item.Headers {
		header.Set(name, value)
	}
	inner := &request{
		method: strings.ToUpper(item.Method), path: "/" + strings.TrimPrefix(path, "/"), rawQuery: rawQuery, query: query, header: header,
		body: item.Body, urls: q.urls, who: q.who, refused: q.refused, tenant: q.tenant,
	}
	got := s.withFaults(context.Background(), roleGraph, inner, s.graphItem)
	return itemAnswer(item.ID, got), !got.drop
}

func itemAnswer(id string, a response) batchAnswer {
	out := batchAnswer{ID: id, Status: a.status, Headers: map[string]string{}}
	for name, values := range a.header {
		out.Headers[name] = strings.Join(values, ", ")
	}
	switch {
	case len(a.body) == 0:
	case a.sound || json.Valid(a.body):
		out.Body = json.RawMessage(a.body)
	default:
		out.Body = string(a.body)
	}
	return out
}
