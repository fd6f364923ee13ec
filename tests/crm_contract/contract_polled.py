"""The systems of the contract that are asked: partner APIs, a replica, a folder."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.crm_contract import fake_systems as fakes
from tests.crm_contract.contract_systems import (
    KYC,
    REVERSAL,
    STEPS,
    Polled,
    canonical,
)
from tests.crm_contract.contract_world import Broker
from tests.crm_contract.fake_systems import KEY, SECRET
from tests.crm_contract.mariadb_server import PASSWORD, MariaDb


class CurrentDesk(Polled):
    name = kind = "currentdesk"
    lacks = (KYC, REVERSAL)
    make = fakes.CurrentDesk
    reference = "tx-{n}"

    def values(self) -> dict[str, str]:
        return {"server": "Live-5", "zone": "UTC", "partner prefix": "IB-"}

    def settings(self) -> dict[str, Any]:
        url = super().settings()["url"] + "/api"
        return {"url": url, "user": "partner", "since": "2026-02-20", "window_days": 30,
                "overlap_days": 60}  # fmt: skip

    def secret(self) -> str:
        return SECRET

    def registration(self) -> None:
        tag = f"a{self.number}-b12-p1" if self.number else ""
        self.add("LeadRegistration", TraderID=int(self.client), TraderName="A. Client",
                 RegistrationDate="2026-03-01T09:00:00", Status="Active",
                 CTag___SubCampaign=tag)  # fmt: skip
        self.add("TradeInfo", TraderID=int(self.client), TraderAlias=f"7{self.client}",
                 CreationDate="2026-03-01T09:30:00", cTag=tag)  # fmt: skip

    def deposit(self) -> None:
        self.add("TransactionInfo", TransactionID=self.number, TraderID=int(self.client), cTag="",
                 TransactionDate="2026-03-03T10:00:00", ActionType="Incoming Funds - Card",
                 Coin="USD", Amount=500.25)  # fmt: skip


class B2Core(Polled):
    name = kind = "b2core"
    make = fakes.B2Core
    partner = "{n}"

    def values(self) -> dict[str, str]:
        return {"server": "Live-5"}

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "page": 2, "overlap": 4, "whole_s": 60}

    def secret(self) -> str:
        return KEY

    def registration(self) -> None:
        self.add("clients", clientId=int(self.client), country="CY",
                 introducingBrokerId=self.number or None,
                 createTime="2026-03-01T09:00:00+00:00")  # fmt: skip
        self.add("accounts", accountId=int(self.client), accountNumber=f"8{self.client}",
                 clientId=int(self.client), caption="USD", group={"id": 1, "name": "Fiat"},
                 currency={"alphabeticCode": "USD", "minorUnit": 2, "numericCode": 840},
                 type="trade", createTime="2026-03-01T09:30:00+00:00")  # fmt: skip

    def kyc(self) -> None:
        self.add("clients", clientId=int(self.client), country="CY", verificationStatus="approved",
                 createTime="2026-03-05T08:00:00+00:00",
                 updateTime="2026-03-05T09:00:00+00:00")  # fmt: skip

    def deposit(self) -> None:
        self.add("transactions", transactionId=self.number, clientId=int(self.client),
                 type="deposit", status="done", amount="500.250000000000000000",
                 currency={"alphabeticCode": "USD"}, method={"name": "card"},
                 createTime="2026-03-03T10:00:00+00:00",
                 updateTime="2026-03-03T10:01:00+00:00")  # fmt: skip

    def reversal(self) -> None:
        self.fake.lists["transactions"][-1] |= {
            "status": "refund", "updateTime": "2026-04-10T10:00:00+00:00"
        }  # fmt: skip


class Broctagon(Polled):
    name = kind = "broctagon"
    lacks = (REVERSAL,)
    make = fakes.Broctagon
    reference = "deposit-{n}"

    def values(self) -> dict[str, str]:
        return {"server": "Live-5"}

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "since": "2026-02-20", "page": 2, "clients_s": 1,
                "overlap_days": 60}  # fmt: skip

    def secret(self) -> str:
        return KEY

    def registration(self) -> None:
        self.add("users", id=self.client, name="A. Client", type="trader", kyc_status="pending",
                 referral_code="", created_at="2026-03-01 09:00:00",
                 referrer_id=f"IB-{self.number}" if self.number else "",
                 trading_accounts=[{"platform": "mt5", "connection_id": "live-1",
                                    "trading_id": f"9{self.client}"}],
                 updated_at="2026-03-01 09:00:00")  # fmt: skip

    def kyc(self) -> None:
        (mine,) = [row for row in self.fake.lists["users"] if row["id"] == self.client]
        mine |= {"kyc_status": "verified", "updated_at": "2026-03-05 09:00:00"}

    def deposit(self) -> None:
        self.add("transactions", id=str(self.number), user_id=self.client, type="deposit",
                 currency={"code": "USD"}, amount=500.25, payment_method="card",
                 timestamp="2026-03-03 10:00:00", status="approved")  # fmt: skip


class Track360(Polled):
    name = kind = "track360"
    lacks = (KYC,)
    make = fakes.Track360

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "client_id": "us", "page": 2, "since_param": "updated_since"}

    def secret(self) -> str:
        return SECRET

    def registration(self) -> None:
        self.add("customers", customer_id=self.client, signup_date="2026-03-01T09:00:00Z",
                 affiliate_id=f"IB-{self.number}" if self.number else None, country="cy",
                 last_modified_date="2027-01-01")  # fmt: skip

    def _money(self, id_: str, kind: str, at: str, **more: Any) -> None:
        self.add("transactions", transaction_id=id_, customer_id=self.client, currency="USD",
                 transaction_type=kind, transaction_date=at, payment_method="card",
                 status="approved", last_modified_date="2027-01-01", **more)  # fmt: skip

    def deposit(self) -> None:
        self._money(self.client, "deposit", "2026-03-03T10:00:00Z", amount=500.25)

    def reversal(self) -> None:
        self._money(f"{self.client}-r", "reversal", "2026-04-10T10:00:00Z", amount=-500.25,
                    original_transaction_id=self.client)  # fmt: skip


class FxBackOffice(Polled):
    name, kind = "fx-back-office", "sql"
    lacks = (KYC, REVERSAL)
    partner = "{n}"
    reference = "tx-{n}"
    maria: MariaDb

    def __init__(self, broker: Broker, number: int, maria: MariaDb) -> None:
        self.maria = maria
        maria.reset()
        super().__init__(broker, number)

    def values(self) -> dict[str, str]:
        return {"server": "Live-5", "zone": "UTC"}

    def settings(self) -> dict[str, Any]:
        return self.maria.settings(page=2)

    def secret(self) -> str:
        return PASSWORD

    def registration(self) -> None:
        self.maria.run(
            f"INSERT INTO users VALUES ({self.client}, 0, '', 'CY', 'A. Client',"
            " '2026-03-01 09:00:00')",
            f"INSERT INTO ib_tree_with_self VALUES ({self.client}, {self.client}, 0),"
            f" ({self.number}, {self.client}, 1)",
            f"INSERT INTO mt4_users VALUES ({self.client}, 1, 6{self.client}, '6{self.client}-1',"
            " 'real', 'USD')",
        )  # fmt: skip

    def deposit(self) -> None:
        self.maria.run(
            f"INSERT INTO transactions VALUES ({self.number}, {self.client}, 'deposit', 'approved',"
            " 500.25, 0, 'USD', 'card', '2026-03-03 10:00:00', NULL)"
        )


class Dropped(Polled):
    """Files in a folder, in the shape that PheasanTech is asked for."""

    name, kind = "pheasantech", "folder"

    def __init__(self, broker: Broker, number: int, folder: Path) -> None:
        self.folder, self.lines = folder, []
        super().__init__(broker, number)

    def settings(self) -> dict[str, Any]:
        return {"dir": str(self.folder), "poll_s": 1}

    def __getattr__(self, step: str) -> Any:
        if step not in STEPS:
            raise AttributeError(step)
        told = canonical(step, self.client, self.partner_code, f"d-{self.client}")
        return lambda: self.lines.append(json.dumps(told))

    def deliver(self) -> None:
        from pipshare.pipeline.crm import folder as folder_
        from pipshare.pipeline.crm.polling import poll

        name = f"{len(self.lines)}-{time.time_ns()}.ndjson"
        (self.folder / name).write_text("\n".join(self.lines) + "\n")
        poller = folder_.Folder(folder_.Config.parse(self.endpoint.settings, ""))
        poller.looks.apart_s = 0.0
        poll(self.broker.conn, self.endpoint, poller)


POLLED = (CurrentDesk, B2Core, Broctagon, Track360, FxBackOffice)
