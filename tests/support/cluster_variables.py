# Copyright (c) 2026, waent.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public variables of a cluster that is like the one of observed_host.py, as a play has them."""

from __future__ import annotations

VARIABLES = {
    "wa_name_prefix": "wa", "wa_cluster_name": "waent", "wa_version": "2.19.4", "wa_network": "waent",
    "wa_webapp_image": "docker.whatsapp.biz/web", "wa_coreapp_image": "docker.whatsapp.biz/coreapp",
    "wa_publish_address": "0.0.0.0", "wa_extra_hosts": {}, "wa_media": "whatsappMedia", "wa_data": "",
    "wa_log_driver": "json-file", "wa_log_options": {},
    "wa_db_engine": "MYSQL", "wa_db_host": "db", "wa_db_port": 3306, "wa_db_username": "root",
    "wa_db_password": "canary-db", "wa_db_name_prefix": "", "wa_db_idle_timeout_ms": 180000,
    "wa_db_check_host": "127.0.0.1", "wa_db_check_port": 3307, "wa_database_image": "mariadb:10.11",
    "wa_database_address": "0.0.0.0", "wa_database_port": 3308, "wa_database_volume": "waentDatabase",
    "wa_database_max_connections": 500, "wa_database_arguments": [], "wa_validate_certs": True, "wa_api_ca_path": "",
    "wa_api_ca_fingerprint": "",
    "wa_admin_password": "canary-admin", "wa_admin_initial_password": "secret", "wa_api_key": "canary-key",
    "wa_jwt_key": "canary-jwt", "wa_extra_environment": {}, "wa_cert": "canary-cert", "wa_pin": "123456",
    "wa_registration_code": "654321", "wa_db_ssl_ca": "", "wa_db_ssl_cert": "", "wa_db_ssl_key": "",
    "wa_db_ssl_check_hostname": True,
}  # fmt: skip
