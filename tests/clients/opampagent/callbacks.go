package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"sort"
	"time"

	"github.com/google/uuid"
	"github.com/open-telemetry/opamp-go/client/types"
	"github.com/open-telemetry/opamp-go/protobufs"
)

func (a *agent) callbacks(connected chan struct{}) types.Callbacks {
	return types.Callbacks{
		OnConnect: func(context.Context) {
			select {
			case connected <- struct{}{}:
			default:
			}
			emit("connected", nil)
		},
		OnConnectFailed: func(_ context.Context, err error) {
			emit("connect_failed", map[string]any{"error": err.Error()})
		},
		OnError: func(_ context.Context, err *protobufs.ServerErrorResponse) {
			emit("server_error", map[string]any{"error": err.GetErrorMessage(), "type": err.GetType().String()})
		},
		OnMessage: a.onMessage,
		OnCommand: func(_ context.Context, c *protobufs.ServerToAgentCommand) error {
			emit("command", map[string]any{"type": c.GetType().String()})
			return nil
		},
		OnOpampConnectionSettings: a.onOpampSettings,
		GetEffectiveConfig: func(context.Context) (*protobufs.EffectiveConfig, error) {
			a.lock.Lock()
			defer a.lock.Unlock()
			return &protobufs.EffectiveConfig{ConfigMap: a.config}, nil
		},
	}
}

func (a *agent) onMessage(ctx context.Context, m *types.MessageData) {
	if m.AgentIdentification != nil {
		a.lock.Lock()
		a.uid = uuid.UUID(m.AgentIdentification.NewInstanceUid)
		a.lock.Unlock()
		emit("renamed", map[string]any{"uid": a.uidText()})
		// The new uid shows from the next message on, and this gives one.
		if err := a.current().SetAgentDescription(a.description()); err != nil {
			emit("error", map[string]any{"error": err.Error()})
		}
	}
	if len(m.OfferedConnectionsSettingsHash) > 0 {
		a.lock.Lock()
		a.offered = m.OfferedConnectionsSettingsHash
		a.lock.Unlock()
		emit("settings", map[string]any{
			"hash":        hex.EncodeToString(m.OfferedConnectionsSettingsHash),
			"own_metrics": m.OwnMetricsConnSettings.GetDestinationEndpoint(),
			"own_traces":  m.OwnTracesConnSettings.GetDestinationEndpoint(),
			"own_logs":    m.OwnLogsConnSettings.GetDestinationEndpoint(),
			"other":       len(m.OtherConnSettings),
		})
	}
	if m.CustomMessage != nil {
		emit("custom", map[string]any{"capability": m.CustomMessage.Capability,
			"type": m.CustomMessage.Type, "data": string(m.CustomMessage.Data)})
	}
	if m.RemoteConfig != nil {
		a.receive(m.RemoteConfig)
	}
	if m.PackagesAvailable != nil && m.PackageSyncer != nil {
		emit("packages", map[string]any{"hash": hex.EncodeToString(m.PackagesAvailable.AllPackagesHash)})
		go func() {
			if err := m.PackageSyncer.Sync(ctx); err != nil {
				emit("packages_failed", map[string]any{"error": err.Error()})
				return
			}
			<-m.PackageSyncer.Done()
			emit("packages_done", map[string]any{"packages": a.packages.versions()})
		}()
	}
}

// receive answers a config as a collector would: APPLYING, then APPLIED, or FAILED with the old
// config kept. With fall-back an agent reports the config before as APPLIED after a FAILED.
func (a *agent) receive(offer *protobufs.AgentRemoteConfig) {
	body := joined(offer.GetConfig())
	emit("remote_config", map[string]any{"hash": hex.EncodeToString(offer.ConfigHash), "body": string(body)})
	before := a.lastApplied()
	a.must(a.report(offer.ConfigHash, protobufs.RemoteConfigStatuses_RemoteConfigStatuses_APPLYING, ""))
	go func() {
		time.Sleep(a.applyDelay)
		if a.refuse != "" && bytes.Contains(body, []byte(a.refuse)) {
			a.must(a.report(offer.ConfigHash, protobufs.RemoteConfigStatuses_RemoteConfigStatuses_FAILED, a.failText))
			if a.fallBack && before != nil {
				time.Sleep(a.applyDelay)
				a.must(a.report(before, protobufs.RemoteConfigStatuses_RemoteConfigStatuses_APPLIED, ""))
			}
			return
		}
		a.lock.Lock()
		a.config = offer.Config
		a.applied = offer.ConfigHash
		a.lock.Unlock()
		a.must(a.report(offer.ConfigHash, protobufs.RemoteConfigStatuses_RemoteConfigStatuses_APPLIED, ""))
		a.must(a.current().UpdateEffectiveConfig(context.Background()))
	}()
}

func (a *agent) lastApplied() []byte {
	a.lock.Lock()
	defer a.lock.Unlock()
	return a.applied
}

// report sends a remote config status and remembers it for the next client.
func (a *agent) report(hash []byte, status protobufs.RemoteConfigStatuses, message string) error {
	value := &protobufs.RemoteConfigStatus{LastRemoteConfigHash: hash, Status: status, ErrorMessage: message}
	a.lock.Lock()
	a.status = value
	a.lock.Unlock()
	return a.current().SetRemoteConfigStatus(value)
}

func (a *agent) must(err error) {
	if err != nil {
		emit("error", map[string]any{"error": err.Error()})
	}
}

// joined is the bodies of a config map in the order of their names.
func joined(config *protobufs.AgentConfigMap) (body []byte) {
	names := make([]string, 0, len(config.GetConfigMap()))
	for name := range config.GetConfigMap() {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		body = append(body, config.ConfigMap[name].GetBody()...)
	}
	return body
}
